/**
 * What the original's legacy schedulers see.
 *
 * @module
 */
import type { StateConfig } from "../../state/mod.ts";

/**
 * The document's layout without the history features and with lifetime metrics; output lengths,
 * which the original reads, are hidden. Source: spec/scheduler.md section 2.
 */
export const LEGACY_STATE: StateConfig = {
  layout: "vidurrl",
  enhancedFeatures: false,
  maxQueueRequests: 4,
  queueDelayFeatures: false,
  queueDelayMaxWaitSeconds: 1,
  historyWindow: 1,
  qpsWindow: 1,
  replicaEmaSeconds: 1,
  decodeLengths: "hidden",
  loadCounts: "outstanding",
  criticSeesOutputTokens: false,
  predictionNoise: 0,
  metrics: { scope: "lifetime", windowSeconds: 1 },
};
