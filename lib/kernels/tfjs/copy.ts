/** Slices and concatenations of the `simd` backend. */
import { tf } from "../_tensorflow.ts";
import type { SimdBackend } from "../simd_backend.ts";
import { allFloat, reshaped, type SimdKernel, sizeOf } from "./_kernel.ts";

/** A part of a tensor along one axis, as a new tensor. */
function takePart(
  backend: SimdBackend,
  x: tf.TensorInfo,
  { axis, begin, size }: { readonly axis: number; readonly begin: number; readonly size: number },
): tf.TensorInfo {
  const inner = sizeOf(x.shape.slice(axis + 1));
  const shape = [...x.shape];
  shape[axis] = size;
  const from = backend.pointer(x) + begin * inner * 4;
  const { info, pointer } = backend.output(shape);
  const bytes = size * inner * 4;
  const outer = sizeOf(x.shape.slice(0, axis));
  backend.call("copyRows", from, x.shape[axis]! * inner * 4, pointer, bytes, bytes, outer);
  return info;
}

/** Slices that cut one axis; others are left to tfjs. */
const slice: SimdKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  if (!allFloat(x)) return undefined;
  const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size);
  tf.slice_util.assertParamsValid(x as tf.Tensor, begin!, size!);
  const cut = x.shape.flatMap((full, axis) => (size![axis] === full ? [] : [axis]));
  if (cut.length === 0) return reshaped(backend, x, [...x.shape]);
  if (cut.length > 1) return undefined;
  const axis = cut[0]!;
  return takePart(backend, x, { axis, begin: begin![axis]!, size: size![axis]! });
};

/** Parts of given sizes along one axis. */
const splitV: SimdKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  if (!allFloat(x)) return undefined;
  const axis = tf.util.parseAxisParam(attrs.axis, x.shape)[0]!;
  const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits, axis);
  let begin = 0;
  return sizes.map((size) => {
    const part = takePart(backend, x, { axis, begin, size });
    begin += size;
    return part;
  });
};

/** Concatenation along one axis. */
const concat: SimdKernel = ({ inputs, attrs, backend }) => {
  const parts = (inputs as unknown as tf.TensorInfo[]).filter((part) => sizeOf(part.shape) > 0);
  if (parts.length === 0 || !allFloat(...parts)) return undefined;
  const first = parts[0]!;
  const axis = tf.util.parseAxisParam(attrs.axis, first.shape)[0]!;
  const shape = tf.backend_util.computeOutShape(parts.map((part) => part.shape), axis);
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1)) * 4;
  const pointers = parts.map((part) => backend.pointer(part));
  const { info, pointer } = backend.output(shape);
  let to = pointer;
  parts.forEach((part, i) => {
    const bytes = part.shape[axis]! * inner;
    backend.call("copyRows", pointers[i]!, bytes, to, shape[axis]! * inner, bytes, outer);
    to += bytes;
  });
  return info;
};

/** All copying kernels by tfjs name. */
export const COPY_KERNELS: Readonly<Record<string, SimdKernel>> = {
  Slice: slice,
  SplitV: splitV,
  Concat: concat,
};
