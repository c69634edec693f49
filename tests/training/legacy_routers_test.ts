import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  baselineNames,
  createBaseline,
  evaluatePolicies,
  heuristicEntry,
  LinearQ,
  openScenario,
  RandomWithStateRouter,
} from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import assert from "node:assert/strict";

const scenario = await openScenario(
  parseExperimentConfig({ evaluation: { seeds: [1], requests: 200 } }),
);

/** Replicas of the requests of one run. */
async function route(name: string): Promise<number[]> {
  const [run] = await evaluatePolicies(scenario, [heuristicEntry(scenario, name)]);
  assert.equal(run!.result.unfinishedCount, 0);
  return [...run!.result.outcomes.replica];
}

Deno.test("LinearQ.learn() takes the step that is computed by hand", () => {
  const options = { observationSize: 2, actionCount: 2, learningRate: 0.1, gamma: 0.5 };
  const q = new LinearQ(options, new Rng(1));
  const observation = Float32Array.of(1, 0);
  const next = Float32Array.of(0, 1);
  const [, before] = q.values(observation);
  const target = 0.25 + 0.5 * Math.max(...q.values(next));
  const other = q.values(observation)[0]!;
  q.learn([{ observation, action: 1, reward: 0.25, next }]);
  // Weight w (its bias is 0) and bias both move by -0.1 * error; L2 takes another 0.1 * 1e-5 * w.
  const error = before! - target;
  assert.ok(Math.abs(error) < 1, "within the quadratic part of the loss");
  const expected = before! - 2 * 0.1 * error - 0.1 * 1e-5 * before!;
  assertAllClose([q.values(observation)[1]!], [expected], { rtol: 1e-12 });
  assertAllClose([q.values(observation)[0]!], [other], { rtol: 1e-5 });
});

Deno.test("LinearQ.learn() clips the gradient's norm at 10", () => {
  const options = { observationSize: 1, actionCount: 1, learningRate: 1, gamma: 0 };
  const q = new LinearQ(options, new Rng(1));
  const [bias] = q.values(Float32Array.of(0));
  const observation = Float32Array.of(1e6);
  q.learn([{ observation, action: 0, reward: -1e9, next: observation }]);
  // The error is cut to 1, so the gradient is (1e6, 1) and the step (10, 1e-5) long.
  assertAllClose([q.values(Float32Array.of(0))[0]!], [bias! - 1e-5], { atol: 1e-10 });
});

Deno.test("LinearQ learns the values of a bandit", () => {
  const q = new LinearQ(
    { observationSize: 1, actionCount: 3, learningRate: 0.1, gamma: 0 },
    new Rng(1),
  );
  const rng = new Rng(2);
  const observation = Float32Array.of(1);
  const rewards = [0.2, 0.9, -0.5];
  for (let i = 0; i < 3000; i++) {
    const action = rng.below(3);
    q.learn([{ observation, action, reward: rewards[action]!, next: observation }]);
  }
  assertAllClose(q.values(observation), rewards, { atol: 1e-3 }); // L2 pulls a little to 0
});

Deno.test("createBaseline() knows every name and lists them all in its error", () => {
  for (const name of baselineNames) {
    assert.equal(heuristicEntry(scenario, name).create(new Rng(1)).name, name);
  }
  assert.throws(
    () => createBaseline("nonsense", { rng: new Rng(1), replicaCount: 2 }),
    { name: "ConfigError", message: /one of lor_queue_only, .*, random_with_state, dqn/ },
  );
});

Deno.test("DqnRouter routes by what it learns, the same for the same seed", async () => {
  const replicas = await route("dqn");
  assert.deepEqual(await route("dqn"), replicas);
  assert.ok(new Set(replicas).size > 1);
  assert.notDeepEqual(replicas, await route("random"));
});

Deno.test("RandomWithStateRouter draws every replica about equally often", async () => {
  const counts = [0, 0, 0, 0];
  for (const replica of await route("random_with_state")) counts[replica]!++;
  // 200 draws of 1 in 4: 50 each with a deviation of 6.
  assert.ok(counts.every((count) => count > 25 && count < 75), String(counts));
});

Deno.test("RandomWithStateRouter describes the state that it saw last", async () => {
  const router = new RandomWithStateRouter({ replicaCount: 4, rng: new Rng(1) });
  await evaluatePolicies(scenario, [{
    label: "watched",
    trainingSeed: null,
    create: () => router,
  }]);
  const state = router.describeState();
  // 11 base features and 7 for each of 4 requests, per replica, and 3 of the cluster.
  assert.equal(state.length, 4 * (11 + 7 * 4) + 3);
  const values = new Map(state);
  assert.equal(values.get("global_queue_length"), 1);
  assert.ok(values.get("system_throughput")! > 0);
  assert.ok(values.get("average_latency")! > 0);
});
