/** Both presets through the whole training run, made small. */
import assert from "node:assert/strict";
import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { openScenario, TrainingRun, useSimdBackend } from "../../lib/training/mod.ts";

await useSimdBackend();

const CASES: Readonly<Record<string, ExperimentInput>> = {
  "seed": { preset: "seed" },
  "seed with pulses": { preset: "seed", training: { temperature: { mode: "pulse" } } },
  "default": { preset: "default" },
  "default with attention": {
    preset: "default",
    policy: { kind: "replica_scorer", attentionHeads: 4 },
  },
  "default with pulses": { preset: "default", training: { temperature: { mode: "pulse" } } },
  "default with recurrence and temperature": {
    preset: "default",
    policy: { kind: "actor_critic", hiddenSize: 16 },
    training: { temperature: { mode: "document" } },
  },
};

for (const [name, input] of Object.entries(CASES)) {
  Deno.test(`TrainingRun (${name}): ratios are 1 before the first step, and the same seed gives the same weights`, async () => {
    const config = parseExperimentConfig({
      ...input,
      training: { ...input.training, environments: 2, decisions: 64, episodeRequests: 40 },
      ppo: { ...input.ppo, rolloutLength: 32, minibatchSize: 64 },
      evaluation: { requests: 50 },
    });
    const scenario = await openScenario(config);
    const [first, second] = [1, 2].map(() => {
      const run = new TrainingRun(scenario, new Rng(3));
      // One minibatch holds the whole rollout, all of it decided by the initial policy.
      const { stats, temperature } = run.update(1);
      assert.ok(stats.initialRatioDeviation < 1e-5, `${stats.initialRatioDeviation}`);
      assert.ok(stats.stepsTaken > 0);
      assert.equal(temperature === 1, config.training.temperature.mode === "off");
      const { weights } = run.save();
      run.dispose();
      return weights;
    });
    assert.deepEqual(second, first);
  });
}
