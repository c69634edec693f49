import * as tf from "@tensorflow/tfjs";
import { registerSimdBackend } from "../../lib/kernels/mod.ts";
import type { SimdBackend } from "../../lib/kernels/simd_backend.ts";
import { Rng } from "../../lib/random/mod.ts";

tf.enableProdMode();

/** With fused multiply-adds where the engine has them, and without. */
export const BACKENDS = [
  registerSimdBackend(),
  registerSimdBackend({ name: "simd-plain", relaxed: false }),
] as const;

/** Defines the test once for each of {@linkcode BACKENDS}. */
export function testOnBackends(name: string, f: () => void): void {
  for (const backend of BACKENDS) {
    Deno.test(`${name} [${backend}]`, async () => {
      await tf.setBackend(backend);
      tf.engine().startScope();
      try {
        f();
      } finally {
        tf.engine().endScope();
      }
    });
  }
}

/** The active backend. */
export function simdBackend(): SimdBackend {
  return tf.backend() as SimdBackend;
}

/** Standard normal numbers that are exact in float32. */
export function normals(count: number, seed: number): number[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => Math.fround(rng.normal()));
}
