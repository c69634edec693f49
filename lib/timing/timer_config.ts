/**
 * Which timer a replica gets.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { getModel, type GpuSpec, type ModelSpec } from "../hardware/mod.ts";
import { ConfigError, parseConfig } from "../support/mod.ts";
import type { AnalyticProfile } from "./analytic_profile.ts";
import { createAnalyticTimer } from "./analytic_timer.ts";
import type { BatchTimer } from "./batch_timer.ts";
import { createFittedTimer } from "./fitted_timer.ts";
import { getGpuEfficiency, type GpuEfficiency, gpuEfficiencySchema } from "./gpu_efficiency.ts";
import type { TimingProfile } from "./profile_schema.ts";
import { listShippedProfiles, loadProfile, loadShippedProfile } from "./shipped_profiles.ts";

const files = z.array(z.string().min(1)).optional().describe(
  "Profiles made by deno task profile fit or calibrate; they come before the shipped ones.",
);

/**
 * Where batch times come from. The default is the analytic timer whatever profiles are shipped: the
 * results of a configuration must not change because a file was added.
 */
export const timerSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("analytic").describe("Roofline with a few fitted coefficients a GPU."),
    efficiency: gpuEfficiencySchema.partial().optional()
      .describe("Coefficients to use instead of the GPU's fitted ones, e.g. calibrated ones."),
  }),
  z.strictObject({
    kind: z.literal("profile").describe(
      "Fitted profile of the replica's GPU and model, or an error.",
    ),
    files,
  }),
  z.strictObject({
    kind: z.literal("auto").describe("Fitted profile where there is one, analytic where not."),
    files,
  }),
]);

/** Validated {@linkcode timerSchema}. */
export type TimerConfig = z.infer<typeof timerSchema>;

/** What {@linkcode createTimer} times. */
export interface TimerOptions {
  /** The served model. */
  readonly model: ModelSpec;
  /** The kind of GPU. */
  readonly gpu: GpuSpec;
  /** GPUs that share every layer. */
  readonly tensorParallel: number;
  /** Pipeline stages that share the layers. */
  readonly pipelineStages: number;
  /** The GPU's coefficients, if it is not of the catalogue. */
  readonly efficiency?: GpuEfficiency;
}

/**
 * Creates the timer that a configuration asks for. A profile fits where its GPU, its model and one
 * of its degrees of tensor parallelism are the replica's. Shipped ones are of the catalogue's
 * hardware: they do not fit a GPU or a model of one's own that has the name of one there.
 *
 * @throws {ConfigError} When `kind` is `"profile"` and there is none, a file is no profile, or the
 *   GPU has no efficiencies.
 *
 * @example
 * ```ts
 * import { getGpu, getModel } from "@signalbox/signalbox/hardware";
 * import { createTimer } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * const options = {
 *   model: getModel("meta-llama/Llama-2-7b-hf"),
 *   gpu: getGpu("h100"),
 *   tensorParallel: 2,
 *   pipelineStages: 1,
 * };
 * assert.match(createTimer({ kind: "auto" }, options).description!, /^profile of .* on h100/);
 * assert.match(createTimer({ kind: "analytic" }, options).description!, /^analytic timer/);
 * ```
 */
export function createTimer(config: TimerConfig, options: TimerOptions): BatchTimer {
  const { gpu, model, tensorParallel } = options;
  if (config.kind === "analytic") {
    if (config.efficiency === undefined) return createAnalyticTimer(options);
    const base = options.efficiency ?? getGpuEfficiency(gpu.name);
    const efficiency = { ...base, ...config.efficiency };
    return createAnalyticTimer({
      ...options,
      efficiency: parseConfig<GpuEfficiency>(gpuEfficiencySchema, efficiency, "timer.efficiency"),
    });
  }
  const profile = findProfile(config.files ?? [], options);
  if (profile?.kind === "tables") return createFittedTimer(profile, options);
  if (profile?.kind === "analytic") return createCalibratedTimer(profile, options);
  if (config.kind === "auto") return createAnalyticTimer(options);
  const shipped = listShippedProfiles().map((name) => name.replace(/\.json$/, "")).join(", ");
  throw new ConfigError(
    "timer.kind",
    config.kind,
    `"analytic" or "auto" where there is no profile of ${model.name} on ${gpu.name} at ` +
      `tensorParallel ${tensorParallel} (shipped, for hardware of the catalogue, are ${shipped})`,
  );
}

/** The analytic timer with coefficients that were fitted to logs of the GPU. */
function createCalibratedTimer(profile: AnalyticProfile, options: TimerOptions): BatchTimer {
  const { efficiency, models, halves: { heldOut } } = profile;
  const percent = (error: number): string => `${(100 * error).toFixed(1)} %`;
  return {
    ...createAnalyticTimer({ ...options, efficiency }),
    description: `analytic timer of ${options.model.name} on ${profile.gpu}, calibrated on ` +
      `${models.join(", ")}; held-out errors of means: TTFT ${percent(heldOut.ttft)}, TPOT ` +
      `${percent(heldOut.tpot)}, E2E ${percent(heldOut.e2e)}`,
  };
}

function findProfile(
  files: readonly string[],
  { gpu, model, tensorParallel, efficiency }: TimerOptions,
): TimingProfile | AnalyticProfile | undefined {
  // Calibrated coefficients are the GPU's, whatever the model.
  const fits = (profile: TimingProfile | AnalyticProfile): boolean =>
    profile.gpu === gpu.name && (profile.kind === "analytic" ||
      profile.model === model.name &&
        profile.degrees.some((degree) => degree.tensorParallel === tensorParallel));
  const own = files.map((file) => loadProfile(file)).find(fits);
  if (own !== undefined) return own;
  const shipped = loadShippedProfile(gpu.name, model.name);
  const isCatalogued = efficiency === undefined && shipped !== undefined &&
    isDeepStrictEqual(model, getModel(model.name));
  return isCatalogued && fits(shipped) ? shipped : undefined;
}
