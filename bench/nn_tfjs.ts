// deno-lint-ignore-file no-console
/**
 * The document's training step (T=32, N=2) on the `simd` backend against tfjs's own `cpu` and `wasm`:
 * the same program, another backend.
 *
 * ```sh
 * deno run -A bench/nn_tfjs.ts [--repeats=5]
 * ```
 */
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { registerSimdBackend } from "../lib/kernels/mod.ts";
import { trainingStep } from "./_nn_work.ts";

const { values: options } = parseArgs({ options: { repeats: { type: "string", default: "5" } } });

const module = import.meta.resolve("@tensorflow/tfjs-backend-wasm");
setWasmPaths(new URL("./", module).pathname);
tf.enableProdMode();

const medians = new Map<string, number>();
for (const backend of ["cpu", "wasm", registerSimdBackend()]) {
  await tf.setBackend(backend);
  const work = trainingStep(32, 2);
  work.run();
  const times = Array.from({ length: Number(options.repeats) }, () => {
    const start = performance.now();
    work.run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  work.dispose();
  medians.set(backend, times[times.length >> 1]!);
}

console.log("| backend | training step, T=32, N=2, ms | times simd |");
console.log("|---|---|---|");
for (const [backend, milliseconds] of medians) {
  const times = milliseconds / medians.get("simd")!;
  console.log(`| ${backend} | ${milliseconds.toPrecision(3)} | ${times.toFixed(1)} |`);
}
