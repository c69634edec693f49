/** The policies of data/policies. */
import assert from "node:assert/strict";
import { findPolicies, findPolicy } from "../../lib/cli/_policies.ts";
import { canonicalJson, parseExperimentConfig } from "../../lib/config/mod.ts";
import { getScenario, scenarioSettings } from "../../lib/scenarios/mod.ts";
import {
  evaluatePolicies,
  listShippedPolicies,
  loadCheckpoint,
  loadShippedPolicy,
  openScenario,
  policyEntry,
  shippedPolicyPath,
  useSimdBackend,
} from "../../lib/training/mod.ts";

await useSimdBackend();

/** Larger files would be a burden on every clone. */
const MAX_BYTES = 150_000;

Deno.test("every shipped policy is small, cannot be trained on and says how it was made", async () => {
  assert.deepEqual(listShippedPolicies(), ["general", "mixed"]);
  for (const name of listShippedPolicies()) {
    const path = shippedPolicyPath(name);
    assert.ok((await Deno.stat(path)).size < MAX_BYTES);
    const { checkpoint } = await loadCheckpoint(path);
    const stated = JSON.parse(await Deno.readTextFile(path.replace(/safetensors$/, "json")));
    assert.equal(checkpoint.training, null);
    assert.equal(stated.name, name);
    assert.equal(stated.command, `deno run -A data/tools/train_policies.ts ${name}`);
    const { update, decisions, config } = checkpoint;
    assert.deepEqual([stated.update, stated.decisions, stated.seed], [
      update,
      decisions,
      config.seed,
    ]);
    const { mixture } = config.training;
    assert.deepEqual(
      mixture.map(({ cluster }) => cluster),
      stated.scenarios.map((scenario: string) => getScenario(scenario).cluster),
    );
    const range = stated.loads.map((percent: number) => percent / 100);
    assert.ok(mixture.every(({ rateScale }) => canonicalJson(rateScale) === canonicalJson(range)));
    assert.ok(stated.validation.seeds.every((seed: number) => seed > 100));
  }
});

Deno.test("loadShippedPolicy() serves clusters of 2 to 16 replicas better than least_outstanding", async () => {
  const cases = [["unseen_3", "general"], ["unseen_16", "general"], ["mixed", "mixed"]] as const;
  for (const [scenarioName, name] of cases) {
    const scenario = await openScenario(parseExperimentConfig({
      ...scenarioSettings(getScenario(scenarioName), 75),
      evaluation: { seeds: [101, 102], requests: 1000 },
    }));
    const { entries } = await findPolicies(scenario, "least_outstanding", ["greedy"]);
    const trained = await loadShippedPolicy(name, {
      replicaCount: scenario.replicas.length,
    });
    const runs = await evaluatePolicies(
      scenario,
      [...entries, policyEntry(trained, "trained", "greedy")],
      { split: "validation" },
    );
    const latencies = (label: string) =>
      runs.filter((run) => run.label === label).flatMap(({ workload, result }) =>
        [...result.outcomes.completedSeconds].map((end, i) => end - workload.arrivalSeconds[i]!)
      );
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b);
    assert.ok(sum(latencies("trained")) < sum(latencies("least_outstanding")), scenarioName);
    trained.policy.dispose();
  }
});

Deno.test("policies are named ppo, ppo:NAME or ppo:PATH; errors list those there are", async () => {
  const scenario = await openScenario(parseExperimentConfig({
    ...scenarioSettings(getScenario("unseen_6"), 50),
    evaluation: { seeds: [101], requests: 40 },
  }));
  const { groups } = await findPolicies(scenario, "ppo,ppo:general,ppo:mixed", ["greedy"]);
  assert.deepEqual(groups.map(({ label }) => label), ["ppo", "ppo:general", "ppo:mixed"]);
  const [alone, general, mixed] = groups.map(({ members }) => members[0]!);
  assert.deepEqual(alone!.policy.getWeights(), general!.policy.getWeights());
  assert.notDeepEqual(mixed!.policy.getWeights(), general!.policy.getWeights());
  assert.equal(general!.replicaCount, 6);
  for (const { members } of groups) members[0]!.policy.dispose();
  const entry = await findPolicy(scenario, `ppo:${shippedPolicyPath("mixed")}`);
  const [run] = await evaluatePolicies(scenario, [entry]);
  assert.equal(run!.result.unfinishedCount, 0);
  const refused: [string, RegExp][] = [
    ["ppo:generl", /ppo: must be followed by one of general, mixed, or by a file or folder/],
    ["ppx", /must be one of .*dqn, ppo:general, ppo:mixed or ppo:PATH, current value is "ppx"/],
  ];
  for (const [name, message] of refused) {
    await assert.rejects(findPolicy(scenario, name), { name: "UsageError", message });
  }
  await assert.rejects(loadShippedPolicy("best"), {
    name: "ConfigError",
    message: /policy must be one of general, mixed, current value is "best"/,
  });
});
