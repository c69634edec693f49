/** A gate: seed 1, 12,800 decisions, three held-out runs of 600 equal requests on equal replicas. */
import assert from "node:assert/strict";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  evaluatePolicies,
  heuristicEntry,
  openScenario,
  policyEntry,
  trainPolicy,
  useSimdBackend,
} from "../../lib/training/mod.ts";

await useSimdBackend();

Deno.test("PPO learns to share equal requests among equal replicas: within 2 % of round robin, which random is not", async () => {
  const scenario = await openScenario(parseExperimentConfig({
    preset: "default",
    cluster: { replicas: [{ gpu: "a100", count: 4 }] },
    workload: {
      kind: "synthetic",
      arrivals: { kind: "poisson", ratePerSecond: 6 },
      lengths: { kind: "fixed" },
    },
    // Without the residual: nothing tells the policy to prefer the shorter queue.
    policy: { kind: "replica_scorer", loadResidualSlope: 0 },
    ppo: { rolloutLength: 64, learningRate: 3e-3 },
    training: { environments: 8, decisions: 12_800, episodeRequests: 300 },
    evaluation: { seeds: [101, 102, 103], requests: 600 },
  }));
  const trained = await trainPolicy(scenario, { rng: new Rng(1) });
  const runs = await evaluatePolicies(scenario, [
    policyEntry(trained, "ppo", "greedy"),
    heuristicEntry(scenario, "round_robin"),
    heuristicEntry(scenario, "random"),
  ]);
  const latency = (label: string): number => {
    const seconds = runs.filter((run) => run.label === label).flatMap(({ workload, result }) =>
      Array.from(
        result.outcomes.completedSeconds,
        (completedSeconds, i) => completedSeconds - workload.arrivalSeconds[i]!,
      )
    );
    return seconds.reduce((sum, each) => sum + each, 0) / seconds.length;
  };
  // spec/scheduler.md appendix A6 (ii)
  const limit = 1.02 * latency("round_robin");
  assert.ok(latency("ppo") <= limit, `${latency("ppo")} s, at most ${limit} s`);
  assert.ok(latency("random") > limit);
  trained.policy.dispose();
});
