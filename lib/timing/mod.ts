/**
 * How long a batch takes.
 *
 * @module
 */
export type { BatchShape, BatchTimer } from "./batch_timer.ts";
