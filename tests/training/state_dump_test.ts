import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { createPolicy } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { RunningNormalizer, StateBuilder } from "../../lib/state/mod.ts";
import {
  evaluatePolicies,
  heuristicEntry,
  openScenario,
  policyEntry,
  type RouterEntry,
  StateDump,
  type StateDumpRecord,
} from "../../lib/training/mod.ts";
import assert from "node:assert/strict";

/** A replica that every router uses; it fails on the way, so that requests lose it. */
const DOOMED = 2;

const CONFIG = parseExperimentConfig({
  policy: { kind: "mlp", hiddenSizes: [4] },
  state: { layout: "signalbox", decodeLengths: "true" },
  incidents: { events: [{ kind: "fail", replica: DOOMED, atFraction: [0.5, 0.5] }] },
  evaluation: { seeds: [101], requests: 40 },
});
const scenario = await openScenario(CONFIG);

/** Runs an entry watched and unwatched; both must route alike. */
async function dump(
  entry: RouterEntry,
  layout: "vidurrl" | "signalbox",
  decisions: readonly number[],
): Promise<StateDumpRecord[]> {
  const records: StateDumpRecord[] = [];
  const stateDump = new StateDump({
    state: { ...CONFIG.state, layout },
    decisions: new Set(decisions),
    write: (record) => records.push(record),
  });
  const [watched] = await evaluatePolicies(scenario, [stateDump.watch(entry)], {
    observers: [stateDump],
  });
  const [alone] = await evaluatePolicies(scenario, [entry]);
  assert.deepEqual(watched!.result.outcomes, alone!.result.outcomes);
  for (const { action, requestIndex } of records) {
    const last = watched!.result.outcomes.replica[requestIndex];
    assert.ok(
      action === last || action === DOOMED,
      `${action}, ${last}: routed again after the failure`,
    );
  }
  return records;
}

Deno.test("StateDump names what a router could see, in any layout", async () => {
  for (const layout of ["vidurrl", "signalbox"] as const) {
    for (const name of ["lor_tbt", "round_robin"]) {
      const records = await dump(heuristicEntry(scenario, name), layout, [0, 30, 31, 999]);
      assert.deepEqual(records.map(({ decision }) => decision), [0, 30, 31]);
      const { perReplicaSize, globalSize } =
        new StateBuilder({ ...CONFIG.state, layout }, 4).layout;
      for (const { replicas, request, global, probabilities } of records) {
        assert.equal(replicas.length, 4);
        assert.ok(replicas.every((replica) => Object.keys(replica).length === perReplicaSize));
        assert.equal(Object.keys(request).length + Object.keys(global).length, globalSize);
        assert.equal(probabilities, undefined);
      }
      const latency = layout === "vidurrl" ? "average_latency" : "average_latency_seconds_log1p";
      assert.equal(records[0]!.global[latency], 0, "nothing has completed yet");
      const used = layout === "vidurrl" ? "utilization_fraction" : "kv_used_fraction";
      assert.ok(records[1]!.replicas.some((replica) => replica[used]! > 0));
      assert.equal("request_prompt_tokens_log1p" in records[0]!.request, layout === "signalbox");
    }
  }
});

Deno.test("StateDump counts the decisions of every run by itself", async () => {
  const records: StateDumpRecord[] = [];
  const stateDump = new StateDump({
    state: CONFIG.state,
    decisions: new Set([3]),
    write: (record) => records.push(record),
  });
  const entry = stateDump.watch(heuristicEntry(scenario, "least_outstanding"));
  await evaluatePolicies(scenario, [entry], { observers: [stateDump], seeds: [101, 102] });
  assert.deepEqual(records.map(({ decision }) => decision), [3, 3]);
  assert.notDeepEqual(records[0], records[1]);
});

Deno.test("StateDump tells the probabilities of a trained policy and what its network saw", async () => {
  const builder = new StateBuilder(CONFIG.state, 4);
  const shape = { observationSize: builder.size, actionCount: 4, replicaLayout: builder.layout };
  const policy = createPolicy(CONFIG.policy, shape, new Rng(1));
  const normalizer = new RunningNormalizer(builder.size, CONFIG.normalizer);
  normalizer.update(new Float32Array(builder.size).fill(2));
  normalizer.freeze();
  const { schemaHash } = builder;
  const trained = { config: CONFIG, policy, normalizer, schemaHash, replicaCount: 4 };
  try {
    // The dump's own layout must not matter.
    const records = await dump(policyEntry(trained, "ppo", "greedy"), "vidurrl", [0, 5, 40]);
    assert.equal(records.length, 3, "some are routed twice");
    for (const { replicas, request, global, normalized, probabilities, action, value } of records) {
      assert.ok(Math.abs(probabilities!.reduce((sum, p) => sum + p) - 1) < 1e-6);
      assert.equal(probabilities!.indexOf(Math.max(...probabilities!)), action);
      const flat = (seen: Pick<StateDumpRecord, "replicas" | "request" | "global">): number[] =>
        [...seen.replicas, seen.request, seen.global].flatMap((part) => Object.values(part));
      const raw = Float32Array.from(flat({ replicas, request, global }));
      const expected = normalizer.normalize(raw, new Float32Array(raw.length));
      assert.deepEqual(flat(normalized!), Array.from(expected));
      const hiddenStates = policy.initialHiddenStates(1);
      assert.equal(policy.predict(expected, { hiddenStates }).values[0], value);
    }
  } finally {
    policy.dispose();
  }
});
