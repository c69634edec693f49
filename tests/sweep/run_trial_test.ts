import assert from "node:assert/strict";
import { expandSweep, runTrial, type TrialReport } from "../../lib/sweep/mod.ts";
import { decodeCheckpoint, useSimdBackend } from "../../lib/training/mod.ts";
import { withFolder } from "../_helpers.ts";
import { tinySweep } from "./_tiny_sweep.ts";

await useSimdBackend();

Deno.test("runTrial() saves the policy that validation chose, with the update it is of", () =>
  withFolder(async (folder) => {
    const { trials } = expandSweep(tinySweep, {
      seeds: [1],
      set: [
        { path: "reward.mode", value: "request" },
        { path: "ppo.learningRate", value: 0.3 }, // so large that the policy gets worse again
        { path: "ppo.learningRateSchedule", value: "constant" },
        { path: "training.decisions", value: 192 },
        { path: "training.validation", value: { everyUpdates: 1, requests: 60 } },
      ],
    });
    const trial = trials.at(-1)!;
    await runTrial(trial, folder, () => {});
    const path = `${folder}/${trial.id}`;
    const report: TrialReport = JSON.parse(await Deno.readTextFile(`${path}/trial.json`));
    const { validations } = report;
    assert.equal(validations.length, 6);
    const best = validations.reduce((a, b) => b.costSeconds < a.costSeconds ? b : a);
    assert.ok(best.update < 6, "otherwise the last would do");
    const file = `${path}/policy.safetensors`;
    const { update, decisions, training } = decodeCheckpoint(await Deno.readFile(file), file);
    assert.deepEqual([update, decisions, training], [best.update, best.decisions, null]);
  }));
