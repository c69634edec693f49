/**
 * The measured profile of the hardware that a run ran on.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BYTES_PER_NUMBER, getGpu } from "../hardware/mod.ts";
import { type BatchTimer, createBundleTimer, readServingBundle } from "../timing/mod.ts";
import { type EngineSettings, modelOf } from "./engine_settings.ts";

/**
 * Share of the time in which a GPU could at best read the whole output matrix below which a table
 * must be of a part of it.
 */
const SHARDED = 0.8;

/**
 * Creates a timer from LLMServingSim's profile of a run's GPU and model, with nothing fitted to the
 * run. Its folder is `<bundles>/<GPU in capitals>/<model>`, or the sub-folder that LLMServingSim
 * names after the formats of weights and KV cache.
 *
 * Tables of another degree of tensor parallelism are divided, see {@linkcode createBundleTimer};
 * those that lie in the folder itself are of the run's own degree if they read the output matrix
 * faster than one GPU's memory can.
 *
 * @returns `undefined` when there is no such folder.
 * @throws {TraceError} When its files cannot be used.
 */
export async function createRunBundleTimer(
  run: Pick<
    EngineSettings,
    "gpu" | "model" | "modelSpec" | "tensorParallel" | "kvNumberBytes"
  >,
  bundles: string,
): Promise<BatchTimer | undefined> {
  const base = join(bundles, run.gpu.toUpperCase(), run.model);
  const formats = run.kvNumberBytes === 1 ? "bf16-kvfp8" : "bf16";
  const folder = [base, join(base, formats)].find((path) => existsSync(join(path, "meta.yaml")));
  if (folder === undefined) return undefined;
  const [gpu, model] = [getGpu(run.gpu), modelOf(run)];
  const bundle = await readServingBundle(folder, run.tensorParallel);
  const outputBytes = model.vocabSize * model.embeddingDim * BYTES_PER_NUMBER;
  const isSharded = bundle.samplingSeconds(1) <
    SHARDED * outputBytes / gpu.memoryBandwidthBytesPerSecond;
  return createBundleTimer(
    isSharded ? { ...bundle, tensorParallel: run.tensorParallel } : bundle,
    { layers: model.layers, parallel: { degree: run.tensorParallel, model, gpu } },
  );
}
