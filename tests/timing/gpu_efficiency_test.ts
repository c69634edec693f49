import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { getModel, gpuNames } from "../../lib/hardware/mod.ts";
import { getGpuEfficiency } from "../../lib/timing/mod.ts";
import { quantile } from "../../lib/stats/mod.ts";
import { readEngineRun } from "../../lib/fidelity/mod.ts";
import { meanKnown, replay } from "../../data/tools/_engine_run.ts";
import { createTimer } from "../../data/tools/_fit.ts";
import {
  type Observation,
  readBundleLayers,
  readVidurLayers,
} from "../../data/tools/_observations.ts";
import efficiencies from "../../data/hardware/efficiencies.json" with { type: "json" };

const shared = fileURLToPath(new URL("../../../shared", import.meta.url));
const missing = !existsSync(`${shared}/profiling`);

Deno.test("getGpuEfficiency() has plausible coefficients for every GPU", () => {
  for (const gpu of gpuNames) {
    const efficiency = getGpuEfficiency(gpu);
    for (const [name, value] of Object.entries(efficiency)) {
      assert.ok(Number.isFinite(value) && value >= 0, `${gpu} ${name}: ${value}`);
    }
    // A boosted clock can exceed the datasheet's by a few per cent.
    assert.ok(efficiency.matmulCompute > 0.5 && efficiency.matmulCompute < 1.1, gpu);
    assert.ok(efficiency.matmulMemory > 0.5 && efficiency.matmulMemory <= 1, gpu);
    assert.ok(efficiency.prefillMaskedShare <= 1, gpu);
    assert.ok(efficiency.mixedDecodeCost >= 1, gpu);
    assert.ok(efficiency.iterationSeconds < 0.01, gpu);
  }
});

Deno.test("getGpuEfficiency() lists the GPUs there are when the name is unknown", () => {
  assert.throws(() => getGpuEfficiency("b200"), {
    name: "ConfigError",
    message: /gpu must be one of a40, a100, h100, rtx4090, rtxpro6000, current value is "b200"$/,
  });
});

Deno.test("the efficiencies state for every GPU what they were fitted to and how well", () => {
  assert.deepEqual(efficiencies.gpus.map(({ gpu }) => gpu), gpuNames);
  for (const { gpu, fits, checks } of efficiencies.gpus) {
    assert.ok(fits.length >= 3, gpu);
    for (const report of [...fits, ...checks]) {
      assert.ok(report.points > 0 && report.source !== "", gpu);
      assert.ok(report.medianRelativeError <= report.p90RelativeError, gpu);
    }
  }
});

/** Median relative error of the shipped timer on layers without attention: its share of a stage. */
function medianLayerError(
  gpu: string,
  rows: readonly (readonly [Observation, Observation])[],
): number {
  const free = {
    prefillCompute: Infinity,
    prefillContextSeconds: 0,
    decodeMemory: Infinity,
    linkSeconds: 0,
    linkBandwidth: Infinity,
  };
  const efficiency = { ...getGpuEfficiency(gpu), ...free };
  return quantile(
    rows.map(([matmul, elementwise]) => {
      const { model, tensorParallel, batch } = matmul;
      const timer = createTimer(gpu, model, tensorParallel, 2, efficiency);
      const predicted = timer.modelSeconds(batch, 0) / (getModel(model).layers / 2);
      return Math.abs(predicted / (matmul.seconds + elementwise.seconds) - 1);
    }),
    0.5,
  );
}

Deno.test({
  name: "the shipped timer reproduces profiled layers of six models on an a40",
  ignore: missing,
  async fn() {
    const { matmul, elementwise } = await readVidurLayers(`${shared}/profiling/compute/a40`);
    assert.ok(matmul.length > 400);
    const rows = matmul.map((row, i) => [row, elementwise[i]!] as const);
    // Stated in the file: 3.3 % without the attention kernels' fixed time, which is part of
    // layerSeconds.
    assert.ok(medianLayerError("a40", rows) < 0.05);
  },
});

Deno.test({
  name: "the shipped timer reproduces profiled layers of Llama-3.1-8B on two newer GPUs",
  ignore: missing,
  async fn() {
    const model = "meta-llama/Llama-3.1-8B";
    for (const [gpu, folder] of [["rtx4090", "RTX4090"], ["rtxpro6000", "RTXPRO6000"]] as const) {
      const path = `${shared}/profiling/llmservingsim/${folder}/${model}`;
      const { matmul, elementwise } = await readBundleLayers(path, model);
      const rows = matmul.map((row, i) => [row, elementwise[i]!] as const);
      assert.ok(medianLayerError(gpu, rows) < 0.05, gpu);
    }
  },
});

Deno.test({
  name: "the shipped timer replays measured vLLM runs within 2 % of mean TPOT and E2E, 5 % of TTFT",
  ignore: missing,
  async fn() {
    for (const [gpu, folder] of [["rtx4090", "RTX4090"], ["rtxpro6000", "RTXPRO6000"]] as const) {
      const run = await readEngineRun(`${shared}/measured/${folder}_Llama-3.1-8B`);
      const replayed = replay(run, getGpuEfficiency(gpu));
      for (const name of ["ttft", "tpot", "e2e"] as const) {
        // One coefficient, the CPU time of an iteration, was fitted to the mean tpot.
        const error = meanKnown(replayed[name]) / meanKnown(run.measured[name]) - 1;
        assert.ok(Math.abs(error) < (name === "ttft" ? 0.05 : 0.02), `${gpu} ${name}: ${error}`);
      }
    }
  },
});
