import { parseExperimentConfig, presetNames } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { openScenario, TrainingRun, useSimdBackend } from "../../lib/training/mod.ts";
import assert from "node:assert/strict";

await useSimdBackend();

for (const preset of presetNames) {
  Deno.test(`preset ${preset} acts and learns with the same distribution`, async () => {
    const config = parseExperimentConfig({ preset, training: { episodeRequests: 2000 } });
    const run = new TrainingRun(await openScenario(config), new Rng(1));
    for (const update of [1, 2]) {
      const { stats } = run.update(2);
      // Importance ratios before the first step: float32 log-probabilities, some units of 1e-7.
      assert.ok(
        stats.initialRatioDeviation < 1e-5,
        `update ${update}: ${stats.initialRatioDeviation}`,
      );
      assert.ok(stats.stepsTaken > 0);
    }
    run.dispose();
  });
}
