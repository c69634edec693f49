import assert from "node:assert/strict";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  evaluatePolicies,
  heuristicEntry,
  openScenario,
  policyEntry,
  trainPolicy,
} from "../../lib/training/mod.ts";

const scenario = await openScenario(parseExperimentConfig({
  cluster: { replicas: [{ gpu: "a100" }, { gpu: "a40" }] },
  workload: { kind: "fitted", ratePerSecond: 5 },
  state: { layout: "signalbox" },
  policy: { kind: "mlp", hiddenSizes: [8] },
  ppo: { rolloutLength: 16, epochs: 1 },
  training: { environments: 2, decisions: 64, episodeRequests: 50 },
  evaluation: { seeds: [3, 9], requests: 60 },
}));

Deno.test("evaluatePolicies() gives every policy the same requests, other ones for other seeds", async () => {
  const names = ["random", "round_robin", "least_outstanding", "speed_weighted_lor"];
  const runs = await evaluatePolicies(
    scenario,
    names.map((name) => heuristicEntry(scenario, name)),
  );
  assert.deepEqual(
    runs.map(({ label, evaluationSeed }) => `${label} ${evaluationSeed}`),
    names.flatMap((name) => [`${name} 3`, `${name} 9`]),
  );
  const [first, second] = runs;
  for (const [i, run] of runs.entries()) {
    assert.deepEqual(run.workload, (i % 2 === 0 ? first : second)!.workload);
    assert.equal(run.result.unfinishedCount, 0);
  }
  assert.notDeepEqual(first!.workload.promptTokens, second!.workload.promptTokens);
  const replicas = runs.filter((_, i) => i % 2 === 0).map(({ result }) =>
    result.outcomes.replica.join()
  );
  assert.equal(new Set(replicas).size, names.length, "they route differently");
});

Deno.test("evaluatePolicies() gives a policy the same run whatever else is evaluated", async () => {
  const random = heuristicEntry(scenario, "random");
  const [alone] = await evaluatePolicies(scenario, [random], { seeds: [9] });
  const together = await evaluatePolicies(scenario, [
    heuristicEntry(scenario, "round_robin"),
    random,
  ]);
  assert.deepEqual(alone!.result.outcomes, together[3]!.result.outcomes);
});

Deno.test("evaluatePolicies() draws the same incidents for every policy, others for other seeds", async () => {
  const event = { kind: "slowdown", factor: 20, replica: 0, atFraction: [0, 1] };
  const { config } = scenario;
  const slow = await openScenario(
    parseExperimentConfig({ ...config, incidents: { events: [event] } }),
  );
  const first = heuristicEntry(slow, "round_robin");
  const runs = await evaluatePolicies(slow, [first, { ...first, label: "again" }]);
  assert.deepEqual(runs[2]!.result.outcomes, runs[0]!.result.outcomes);
  const calm = await evaluatePolicies(scenario, [first]);
  assert.notDeepEqual(calm[0]!.result.outcomes, runs[0]!.result.outcomes, "they matter");
});

Deno.test("evaluatePolicies() stops when the signal fires", async () => {
  const controller = new AbortController();
  const evaluation = evaluatePolicies(scenario, [heuristicEntry(scenario, "random")], {
    signal: controller.signal,
    onRun: () => controller.abort(new Error("enough")),
  });
  await assert.rejects(evaluation, /enough/);
});

Deno.test("policyEntry() repeats a trained policy's runs exactly, greedy and sampled", async () => {
  const trained = await trainPolicy(scenario, { rng: new Rng(0) });
  const before = trained.normalizer.toJSON();
  try {
    for (const sampling of ["greedy", "sampled"] as const) {
      const entry = policyEntry(trained, `ppo ${sampling}`, sampling);
      const [a, b] = await evaluatePolicies(scenario, [entry, entry], { seeds: [3] });
      assert.deepEqual(a!.result.outcomes, b!.result.outcomes);
    }
    assert.deepEqual(trained.normalizer.toJSON(), before, "evaluation changes no statistics");
  } finally {
    trained.policy.dispose();
  }
});

Deno.test("trainPolicy() gives the same weights for the same seed, others for another", async () => {
  const weights = [];
  for (const seed of [5, 5, 6]) {
    const trained = await trainPolicy(scenario, { rng: new Rng(seed) });
    weights.push(
      JSON.stringify(
        trained.policy.getWeights(),
        (_, value) => value instanceof Float32Array ? [...value] : value,
      ),
    );
    trained.policy.dispose();
  }
  assert.equal(weights[0], weights[1]);
  assert.notEqual(weights[0], weights[2]);
});
