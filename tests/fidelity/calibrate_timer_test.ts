/** Fitting the analytic timer to logs. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { calibrated, coefficientPriors } from "../../lib/fidelity/_calibration_coefficients.ts";
import { describeCoefficients, warningsOf } from "../../lib/fidelity/_calibration_report.ts";
import {
  calibrateTimer,
  type EngineRun,
  readEngineRun,
  replayAnalytic,
} from "../../lib/fidelity/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { schedulerSchema } from "../../lib/simulator/mod.ts";
import { analyticProfileSchema, getGpuEfficiency } from "../../lib/timing/mod.ts";

const shared = fileURLToPath(new URL("../../../shared", import.meta.url));
const missing = !existsSync(`${shared}/measured`);

/** A log of an engine that differs from the catalogue's a100 by known coefficients. */
function syntheticRun(
  count: number,
  deviations: readonly number[],
  meanPromptTokens = 600,
): EngineRun {
  const rng = new Rng(7).stream("log");
  const draw = (mean: number): number => Math.ceil(rng.exponential(1 / mean));
  let now = 0;
  const arrivals = Array.from({ length: count }, () => now += draw(150) / 1000);
  const run: EngineRun = {
    workload: {
      name: "synthetic",
      count,
      arrivalSeconds: Float64Array.from(arrivals, (at) => at - arrivals[0]!),
      promptTokens: Int32Array.from(arrivals, () => draw(meanPromptTokens)),
      outputTokens: Int32Array.from(arrivals, () => 20 + draw(80)),
    },
    measured: { ttft: new Float64Array(), tpot: new Float64Array(), e2e: new Float64Array() },
    gpu: "a100",
    model: "meta-llama/Llama-2-7b-hf",
    tensorParallel: 1,
    dataParallel: 1,
    kvNumberBytes: 2,
    scheduler: schedulerSchema.parse({ kind: "vllm_v1", batchSizeCap: 64, chunkTokens: 1024 }),
    kvBlocks: 5000,
  };
  return {
    ...run,
    measured: replayAnalytic(run, calibrated(getGpuEfficiency("a100"), deviations)),
  };
}

Deno.test("calibrateTimer() finds what a made-up engine takes, and writes a valid profile", () => {
  // 22 % less compute, 15 % faster weights, 4 ms of CPU time.
  const run = syntheticRun(120, [-1.2, 0.7, 0, 3]);
  const { profile, firstHalf } = calibrateTimer([run], { folds: 2 });
  for (const errors of [profile.halves.fitted, profile.halves.heldOut, ...profile.folds]) {
    assert.ok(Math.abs(errors.tpot) < 0.02, `tpot ${errors.tpot}`);
    assert.ok(Math.abs(errors.e2e) < 0.02, `e2e ${errors.e2e}`);
    assert.ok(Math.abs(errors.ttft) < 0.1, `ttft ${errors.ttft}`);
  }
  const [compute, memory, , iteration] = profile.coefficients;
  assert.ok(Math.abs(compute!.value - Math.exp(-0.24)) < 0.12, `compute ${compute!.value}`);
  // Weights and CPU time make an iteration as long as each other: only their sum is told.
  const weights = 13.2e9 / (2039e9 * getGpuEfficiency("a100").matmulMemory);
  const sum = (speed: number, milliseconds: number): number => weights / speed + milliseconds / 1e3;
  const [found, truth] = [sum(memory!.value, iteration!.value), sum(Math.exp(0.14), 4)];
  assert.ok(Math.abs(found / truth - 1) < 0.05, `${found}, ${truth}`);
  assert.deepEqual(analyticProfileSchema.parse(JSON.parse(JSON.stringify(profile))), profile);
  assert.ok(firstHalf.iterationSeconds > 0);
});

Deno.test("calibrateTimer() gives the same bytes twice and joins logs of several loads", () => {
  const runs = [syntheticRun(40, [0, 0, 0, 1]), syntheticRun(40, [0, 0, 0, 1], 60)];
  const once = calibrateTimer(runs, { folds: 2 });
  assert.equal(JSON.stringify(calibrateTimer(runs, { folds: 2 })), JSON.stringify(once));
  assert.equal(once.profile.requests, 80);
});

Deno.test("calibrateTimer() refuses logs that say too little", () => {
  const run = syntheticRun(39, [0, 0, 0, 0]);
  const refuse = (runs: EngineRun[], folds: number, message: RegExp): void => {
    assert.throws(() => calibrateTimer(runs, { folds }), { name: "ConfigError", message });
  };
  refuse([], 2, /logs must be at least one/);
  refuse([run], 2, /requests of synthetic must be >= 40 for 2 folds, current value is 39/);
  refuse([syntheticRun(70, [0, 0, 0, 0])], 4, /must be >= 80 for 4 folds, current value is 70/);
  refuse([run], 1, /folds must be an integer from 2 to/);
  refuse([syntheticRun(40, [0, 0, 0, 0]), { ...run, gpu: "h100" }], 2, /gpu must be a100 in every/);
});

Deno.test("describeCoefficients() states jackknife errors and what the log tells", () => {
  const fits = [[0.1, 0, 0, 1], [-0.1, 0, 0, -1]];
  const [compute, memory, , iteration] = describeCoefficients([0, 0, 0, 0], fits);
  // sqrt(1 / 2 (x1 - m)^2 + 1 / 2 (x2 - m)^2) of exp(+-0.02) and of 1 +- 1.
  assert.equal(compute!.standardError, Number(Math.sinh(0.02).toPrecision(4)));
  assert.equal(iteration!.standardError, 1);
  assert.deepEqual([compute!.isIdentified, iteration!.isIdentified], [true, false]);
  assert.equal(memory!.standardError, 0);
});

Deno.test("warningsOf() names what is not told, at its bound, or exchangeable", () => {
  const coefficients = describeCoefficients([0, 0, 0, -1], [[0, 0, 0, 1], [0, 0, 0, -1]]);
  const jacobian = [[1, 2, 0, 0], [2, 4, 1, 0], [0, 0, 0, 1]];
  const warnings = warningsOf(coefficients, jacobian, [0, 0, 0, -1]);
  assert.equal(warnings.length, 3);
  assert.match(warnings[0]!, /^iteration: the log hardly tells it/);
  assert.match(warnings[1]!, /^iteration: it is at the end of the range/);
  assert.match(warnings[2]!, /^compute and memory: they change/);
  assert.equal(coefficientPriors.length, 4);
});

Deno.test({
  name: "calibrateTimer() predicts the second half of measured vLLM runs from the first",
  ignore: missing,
  async fn() {
    const limits = { ttft: 0.1, tpot: 0.05, e2e: 0.05 };
    for (const gpu of ["RTX4090", "RTXPRO6000"]) {
      const run = await readEngineRun(`${shared}/measured/${gpu}_Llama-3.1-8B`);
      const { heldOut } = calibrateTimer([run], { folds: 2 }).profile.halves;
      for (const metric of ["ttft", "tpot", "e2e"] as const) {
        const error = heldOut[metric];
        assert.ok(Math.abs(error) < limits[metric], `${gpu} ${metric}: ${error}`);
      }
    }
  },
});
