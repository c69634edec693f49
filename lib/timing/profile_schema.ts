/**
 * The file format of fitted timing profiles.
 *
 * @module
 */
import { z } from "zod";
import { fitErrorSchema } from "./_fit_error.ts";

const microseconds = z.number().min(0);
const increasing = z.array(z.number().min(0)).min(1).refine(
  (values) => values.every((value, i) => i === 0 || value > values[i - 1]!),
  "strictly increasing",
);

/** Knots of a piecewise linear, non-decreasing curve over a count. */
export const profileCurveSchema = z.strictObject({
  counts: increasing.describe("Counts of the knots (tokens, sequences or requests)."),
  microseconds: z.array(microseconds).describe("Time at each knot."),
  error: fitErrorSchema.optional().describe("Against the measured points, where they are > 0."),
  heldOut: fitErrorSchema.optional()
    .describe("At every fifth measured point, in turn, with a curve fitted to the others."),
}).refine(({ counts, microseconds }) => counts.length === microseconds.length, {
  message: "as many as counts",
  path: ["microseconds"],
}).refine(({ counts }) => counts.some((count) => count >= 1), {
  message: "with one >= 1",
  path: ["counts"],
});

const surfaceSchema = z.strictObject({
  x: increasing.min(2).describe("prefill: tokens of the chunk; decode: number of decodes."),
  y: increasing.min(2).describe("Tokens cached before, of each."),
  microseconds: z.array(microseconds.nullable())
    .describe("Row-major [x, y]; null where it was not measured."),
  error: fitErrorSchema.describe(
    "At the measured points that are not listed here, or at these where there are no others.",
  ),
}).refine(({ x, y, microseconds }) => x.length * y.length === microseconds.length, {
  message: "of x times y entries",
  path: ["microseconds"],
}).refine(({ y, microseconds }) => {
  const measured = [...microseconds.keys()].filter((cell) => microseconds[cell] !== null);
  return new Set(measured.map((cell) => Math.floor(cell / y.length))).size > 1 &&
    new Set(measured.map((cell) => cell % y.length)).size > 1;
}, { message: "measured in two rows and two columns at least", path: ["microseconds"] });

const attentionSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("analytic"),
    reason: z.string().describe("Why it was not measured."),
  }),
  z.strictObject({
    kind: z.literal("separate").describe("Prompt chunks and decodes in kernels of their own."),
    prefill: surfaceSchema,
    decode: surfaceSchema,
  }),
  z.strictObject({
    kind: z.literal("joint").describe("Prompt chunk and decodes of a batch in one kernel."),
    chunkTokens: increasing,
    contextTokens: increasing,
    decodeCounts: increasing,
    decodeContextTokens: increasing,
    microseconds: z.array(microseconds.nullable()).describe(
      "Row-major over the four axes; null where it was not measured or has no meaning.",
    ),
    skew: z.strictObject({
      decodeCounts: increasing.refine((counts) => counts.every(Number.isInteger), "integers"),
      alone: z.array(z.number().min(0).max(1)),
      mixed: z.array(z.number().min(0).max(1)),
    }).refine(
      ({ decodeCounts, alone, mixed }) =>
        alone.length === decodeCounts.length && mixed.length === decodeCounts.length,
      { message: "with as many shares alone and mixed as decodeCounts" },
    ).optional().describe(
      "Share a in t = t_mean + a (t_longest - t_mean) for decodes of unequal context, by decodes.",
    ),
    error: fitErrorSchema.describe(
      "At the measured points that are not listed here, or at these where there are no others.",
    ),
  }).refine(
    (grid) =>
      grid.chunkTokens.length * grid.contextTokens.length * grid.decodeCounts.length *
          grid.decodeContextTokens.length === grid.microseconds.length,
    { message: "of as many entries as the axes span", path: ["microseconds"] },
  ),
]);

/** Kinds of operations of a layer, as metrics tell them apart. */
const layerKind = z.enum(["matmul", "elementwise"]);

const degreeSchema = z.strictObject({
  tensorParallel: z.int().min(1).max(64).describe("GPUs that share each layer."),
  layer: z.record(z.string(), profileCurveSchema.safeExtend({ kind: layerKind }))
    .refine((operations) => Object.keys(operations).length > 0, "at least one operation")
    .describe("Operations of one layer without attention, by tokens of the batch."),
  layerError: fitErrorSchema.describe("Of the sum of the operations of a layer."),
  attention: attentionSchema.describe("Of one layer."),
  embedding: profileCurveSchema.optional().describe("Once, in the first stage, by tokens."),
  finalNorm: profileCurveSchema.optional().describe("Once, in the last stage, by tokens."),
  sampling: profileCurveSchema.optional()
    .describe("Output matrix and sampler, by sequences; left out, the analytic term."),
  allReduce: profileCurveSchema.optional()
    .describe("One all-reduce, by tokens, twice a layer; left out, the analytic term."),
  sendRecv: profileCurveSchema.optional()
    .describe("One transfer to the next stage, by tokens; left out, the analytic term."),
  cpu: profileCurveSchema.optional()
    .describe("CPU work of an iteration, by requests; left out, that of the analytic timer."),
});

/**
 * A profile: one model on one kind of GPU, fitted to measured tables, for every degree of tensor
 * parallelism that was measured. All times are microseconds.
 */
export const profileSchema = z.strictObject({
  format: z.literal("signalbox-profile"),
  version: z.literal(1),
  kind: z.literal("tables"),
  gpu: z.string().min(1).describe("Kind of GPU, a name of the hardware catalogue."),
  model: z.string().min(1).describe("Model, a name of the hardware catalogue."),
  source: z.string().describe("Whose measurements these are."),
  licence: z.string().describe("Of the measurements."),
  tables: z.array(z.string()).describe("The measured tables."),
  method: z.string().describe("How the figures were made of the tables."),
  degrees: z.array(degreeSchema).min(1).refine(
    (degrees) =>
      new Set(degrees.map(({ tensorParallel }) => tensorParallel)).size === degrees.length,
    "of different tensorParallel",
  ),
});

/** Validated {@linkcode profileSchema}. */
export type TimingProfile = z.infer<typeof profileSchema>;

/** One degree of tensor parallelism of a {@linkcode TimingProfile}. */
export type ProfileDegree = TimingProfile["degrees"][number];

/** Validated {@linkcode profileCurveSchema}. */
export type ProfileCurve = z.infer<typeof profileCurveSchema>;
