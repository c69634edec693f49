// deno-lint-ignore-file no-console
/**
 * Speed of single kernels, and where a training step of the document's network goes.
 *
 * ```sh
 * deno run -A bench/nn_kernels.ts
 * ```
 *
 * Best of many repetitions. The peak to compare the matrix product with is 16 floating-point
 * operations a cycle (two fused multiply-adds on four floats) on cores with two such units.
 */
import { compileFunction, registerSimdBackend } from "../lib/kernels/mod.ts";
import { type KernelCall, SimdBackend } from "../lib/kernels/simd_backend.ts";
import * as tf from "@tensorflow/tfjs";
import { trainingStep } from "./_nn_work.ts";

/** [m, n, k] of products that occur in training and acting. */
const PRODUCTS = [
  [64, 256, 200],
  [64, 128, 128],
  [64, 384, 128],
  [512, 384, 128],
  [128, 384, 512],
  [16, 384, 128],
  [2, 384, 128],
  [1, 384, 128],
] as const;

await tf.setBackend(registerSimdBackend());
const backend = tf.backend() as SimdBackend;
console.log(`fused multiply-add: ${backend.relaxed ? "yes" : "no"}\n`);

console.log("| product m x n x k | GFLOP/s |");
console.log("|---|---|");
for (const [m, n, k] of PRODUCTS) {
  const product = compileFunction(
    ({ a, b }) => ({ c: tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D) }),
    { inputShapes: { a: [m, k], b: [k, n] }, variables: [] },
  );
  const repeats = Math.ceil(2e6 / (m * n * k));
  const seconds = bestSeconds(200, () => {
    for (let i = 0; i < repeats; i++) product.run();
  });
  product.dispose();
  console.log(`| ${m} x ${n} x ${k} | ${(2 * m * n * k * repeats / seconds / 1e9).toFixed(1)} |`);
}

for (const rows of [2, 16]) {
  console.log(`\n| kernel, training step T=32, N=${rows} | calls | ms |`);
  console.log("|---|---|---|");
  for (const [name, { calls, seconds }] of profileStep(rows)) {
    console.log(`| ${name} | ${calls} | ${(seconds * 1e3).toFixed(2)} |`);
  }
}

/** Calls and time of every kernel in one training step, the best of several recordings each. */
function profileStep(rows: number): [string, { calls: number; seconds: number }][] {
  const best = new Map<string, { calls: number; seconds: number }>();
  for (let run = 0; run < 5; run++) {
    const now = new Map<string, { calls: number; seconds: number }>();
    const call = SimdBackend.prototype.call;
    // A new trainer compiles its step: the recording runs every kernel once, through `call`.
    const work = trainingStep(32, rows);
    SimdBackend.prototype.call = function (name: KernelCall, ...args: number[]): void {
      const start = performance.now();
      call.call(this, name, ...args);
      const entry = now.get(name) ?? { calls: 0, seconds: 0 };
      entry.calls++;
      entry.seconds += (performance.now() - start) / 1e3;
      now.set(name, entry);
    };
    try {
      work.run();
    } finally {
      SimdBackend.prototype.call = call;
    }
    work.dispose();
    for (const [name, entry] of now) {
      if (entry.seconds < (best.get(name)?.seconds ?? Infinity)) best.set(name, entry);
    }
  }
  return [...best].sort(([, a], [, b]) => b.seconds - a.seconds);
}

function bestSeconds(repeats: number, f: () => void): number {
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    f();
    best = Math.min(best, performance.now() - start);
  }
  return best / 1e3;
}
