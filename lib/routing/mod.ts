/**
 * Choosing the replica of a request.
 *
 * @module
 */
export { createRouter, type RouterName, routerNames, type RouterOptions } from "./create_router.ts";
export { createLeastKvTokens } from "./least_kv_tokens.ts";
export { createLeastOutstanding } from "./least_outstanding.ts";
export {
  createClairvoyantLeastWork,
  createPredictedLeastWork,
  type OracleRouter,
} from "./least_work.ts";
export { createLorQueueOnly } from "./lor_queue_only.ts";
export { createLorTbt } from "./lor_tbt.ts";
export { OutputLengthPredictor } from "./output_length_predictor.ts";
export { createPowerOfTwo } from "./power_of_two.ts";
export { createRandom } from "./random.ts";
export { createRoundRobin } from "./round_robin.ts";
export type { Router } from "./router.ts";
export { createSpeedWeightedLor } from "./speed_weighted_lor.ts";
