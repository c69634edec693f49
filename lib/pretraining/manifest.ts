/**
 * What a dataset of demonstrations says of itself.
 *
 * @module
 */
import { z } from "zod";
import { experimentSchema } from "../config/mod.ts";

/** Version of the layout of a dataset; any other is refused. */
export const DEMONSTRATIONS_VERSION = 1;

const count = z.int().min(0);

const episodeSchema = z.strictObject({
  router: z.string(),
  rateScale: z.number().positive(),
  workloadSeed: z.int(),
  decisionCount: count,
  hasScores: z.boolean(),
});

/** Content of `demonstrations.json`. */
export const manifestSchema = z.strictObject({
  format: z.literal("signalbox-demonstrations"),
  version: z.literal(DEMONSTRATIONS_VERSION),
  schemaHash: z.string(),
  featureNames: z.array(z.string()).min(1),
  replicaCount: z.int().min(1),
  decisionCount: count,
  seed: count,
  episodes: z.array(episodeSchema).min(1),
  config: experimentSchema,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits"),
});

/**
 * What a dataset of demonstrations says of itself: the meaning of its observations (`schemaHash` and
 * `featureNames`, see `StateBuilder`), the experiment it comes from, the seed, its episodes in the
 * order of the rows (who routed, at which multiple of the configured arrival rate, which arrivals,
 * how many decisions, whether there are scores), and the SHA-256 of the Parquet file.
 */
export type DemonstrationManifest = z.infer<typeof manifestSchema>;

/** One simulation of a dataset. */
export type DemonstrationEpisode = z.infer<typeof episodeSchema>;
