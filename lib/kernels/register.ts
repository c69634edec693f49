/**
 * Registration of the `simd` backend with tfjs.
 *
 * @module
 */
import { tf } from "./_tensorflow.ts";
import { SimdBackend } from "./simd_backend.ts";
import type { KernelCallArguments, SimdKernel } from "./tfjs/_kernel.ts";
import { COPY_KERNELS } from "./tfjs/copy.ts";
import { ELEMENTWISE_KERNELS } from "./tfjs/elementwise.ts";
import { FUSED_KERNELS } from "./tfjs/fused.ts";
import { FUSED_GRADIENTS } from "./tfjs/gradients.ts";
import { MATRIX_KERNELS } from "./tfjs/matrix.ts";
import { REDUCTION_KERNELS } from "./tfjs/reduction.ts";

/** Options of {@linkcode registerSimdBackend}. */
export interface SimdBackendOptions {
  /** Name for `tf.setBackend`. Default `"simd"`. */
  readonly name?: string;
  /**
   * Whether to use fused multiply-adds (relaxed SIMD); by default whatever the engine accepts.
   * Results differ in the last bits.
   */
  readonly relaxed?: boolean;
}

const KERNELS: Readonly<Record<string, SimdKernel>> = {
  ...COPY_KERNELS,
  ...ELEMENTWISE_KERNELS,
  ...FUSED_KERNELS,
  ...MATRIX_KERNELS,
  ...REDUCTION_KERNELS,
};

/** tfjs kernels that compute nothing from values: a compiled function may use them. */
const SHAPE_KERNELS: ReadonlySet<string> = new Set([
  "Cast",
  "ExpandDims",
  "Fill",
  "Identity",
  "OnesLike",
  "Reshape",
  "ZerosLike",
]);

/**
 * Makes a backend available that runs float32 tensors through WebAssembly SIMD kernels: matrix
 * products, pointwise functions, reductions, softmax and this package's fused layers. Everything
 * else runs as on tfjs's `cpu` backend. Registering the same name again does nothing.
 *
 * Tensors live in the kernels' memory until they are disposed of; as on `webgl`, what is neither
 * tidied nor disposed of leaks.
 *
 * @returns The name to give to `tf.setBackend`.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { registerSimdBackend } from "@signalbox/signalbox/kernels";
 * import assert from "node:assert/strict";
 *
 * await tf.setBackend(registerSimdBackend());
 * const product = tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]]));
 * assert.deepEqual([...product.dataSync()], [11]);
 * ```
 */
export function registerSimdBackend(options: SimdBackendOptions = {}): string {
  const { name = "simd", relaxed } = options;
  if (tf.findBackendFactory(name) !== null) return name;
  const cpuKernels = new Map(
    tf.getKernelsForBackend("cpu").map((config) => [config.kernelName, config]),
  );
  for (const [kernelName, config] of cpuKernels) {
    if (!(kernelName in KERNELS)) {
      const kernelFunc = asFallback(kernelName, config.kernelFunc);
      tf.registerKernel({ ...config, backendName: name, kernelFunc });
    }
  }
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    const cpu = cpuKernels.get(kernelName);
    const fallback = cpu && asFallback(kernelName, cpu.kernelFunc);
    tf.registerKernel({
      kernelName,
      backendName: name,
      kernelFunc: withFallback(kernelName, kernel, fallback),
    });
  }
  for (const gradient of FUSED_GRADIENTS) {
    if (tf.getGradient(gradient.kernelName) === undefined) tf.registerGradient(gradient);
  }
  tf.registerBackend(name, () => new SimdBackend(relaxed));
  return name;
}

/** A `cpu` kernel that does not run while a function is compiled: nobody would replay it. */
function asFallback(kernelName: string, kernel: tf.KernelFunc): tf.KernelFunc {
  return (args) => {
    const { recorder } = args.backend as SimdBackend;
    if (recorder !== undefined && !isReplayable(kernelName, args as KernelCallArguments)) {
      recorder.refuse(`the tfjs kernel ${kernelName}`);
    }
    return kernel(args);
  };
}

function isReplayable(kernelName: string, { inputs, attrs }: KernelCallArguments): boolean {
  if (kernelName === "Cast") return inputs.x!.dtype === attrs.dtype;
  return SHAPE_KERNELS.has(kernelName);
}

function withFallback(
  kernelName: string,
  kernel: SimdKernel,
  fallback: tf.KernelFunc | undefined,
): tf.KernelFunc {
  return (args) => {
    const result = kernel(args as unknown as KernelCallArguments) ?? fallback?.(args);
    if (result === undefined) {
      throw new TypeError(`Cannot run ${kernelName}: the inputs must be float32 tensors`);
    }
    return result;
  };
}
