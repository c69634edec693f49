/**
 * What the agent sees: feature layouts, histories, normalisation.
 *
 * @module
 */
export { createDecodeLengths } from "./decode_lengths.ts";
export type { DecodeLengths } from "./decode_lengths.ts";
export { normalizerSchema, RunningNormalizer } from "./running_normalizer.ts";
export type { NormalizerConfig, NormalizerOptions, NormalizerState } from "./running_normalizer.ts";
export { StateBuilder } from "./state_builder.ts";
export type { StateEpisode } from "./state_builder.ts";
export { sharedStatisticSlots } from "./state_layout.ts";
export type { StateLayout } from "./state_layout.ts";
export { stateSchema } from "./state_schema.ts";
export type { StateConfig } from "./state_schema.ts";
export { TimeDecayedMean } from "./time_decayed_mean.ts";
