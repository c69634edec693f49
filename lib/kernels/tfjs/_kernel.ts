/** How the kernels of the `simd` backend are written. */
import type { tf } from "../_tensorflow.ts";
import type { SimdBackend } from "../simd_backend.ts";

/** What a kernel gets. */
export interface KernelCallArguments {
  /** Input tensors by name. */
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  /** Attributes by name. */
  // deno-lint-ignore no-explicit-any -- as tfjs: each kernel knows the types of its attributes
  readonly attrs: Readonly<Record<string, any>>;
  /** The backend. */
  readonly backend: SimdBackend;
}

/** A kernel; `undefined` says that the arguments are not for it, but for tfjs's `cpu` kernel. */
export type SimdKernel = (
  args: KernelCallArguments,
) => tf.TensorInfo | tf.TensorInfo[] | undefined;

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** Whether every tensor holds 32-bit floats, the only type that the kernels know. */
export function allFloat(...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every((tensor) => tensor.dtype === "float32");
}

/** The same values under another shape; the tensor and the result share them. */
export function reshaped(
  backend: SimdBackend,
  tensor: tf.TensorInfo,
  shape: number[],
): tf.TensorInfo {
  backend.incRef(tensor.dataId);
  return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
}
