/**
 * What tensors are computed on.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { registerSimdBackend } from "../kernels/mod.ts";

/**
 * Makes this package's SIMD kernels compute all tensors of this thread. To be called once, before
 * the first policy is created; without it tfjs probes the browser's graphics interfaces and ends up
 * on its slow `cpu` backend.
 *
 * @example
 * ```ts
 * import { useSimdBackend } from "@signalbox/signalbox/training";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert/strict";
 *
 * await useSimdBackend();
 * assert.equal(tf.getBackend(), "simd");
 * ```
 */
export async function useSimdBackend(): Promise<void> {
  await tf.setBackend(registerSimdBackend());
}
