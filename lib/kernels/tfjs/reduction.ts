/** Reductions and softmax of the `simd` backend. */
import { tf } from "../_tensorflow.ts";
import { REDUCTIONS } from "../_operations.ts";
import { allFloat, type SimdKernel, sizeOf } from "./_kernel.ts";

/** Kernel of a reduction over neighbouring axes. */
function reductionKernel(name: keyof typeof REDUCTIONS): SimdKernel {
  return ({ inputs, attrs, backend }) => {
    const x = inputs.x!;
    if (!allFloat(x)) return undefined;
    // tfjs gives Max's axes another name than the others'.
    const axes = tf.util.parseAxisParam(attrs.reductionIndices ?? attrs.axis, x.shape).sort((
      a,
      b,
    ) => a - b);
    const first = axes[0] ?? 0;
    if (axes.some((axis, i) => axis !== first + i)) return undefined;
    const outer = sizeOf(x.shape.slice(0, first));
    const n = sizeOf(x.shape.slice(first, first + axes.length));
    const inner = sizeOf(x.shape.slice(first + axes.length));
    const kept = attrs.keepDims ? axes.map(() => 1) : [];
    const shape = [...x.shape.slice(0, first), ...kept, ...x.shape.slice(first + axes.length)];
    const from = backend.pointer(x);
    const { info, pointer } = backend.output(shape);
    const scale = name === "Mean" ? 1 / n : 1;
    backend.call("reduce", REDUCTIONS[name], from, pointer, outer, n, inner, scale);
    return info;
  };
}

/** Kernel of softmax or its logarithm over the last axis. */
function softmaxKernel(logarithm: boolean): SimdKernel {
  return ({ inputs, attrs, backend }) => {
    const logits = inputs.logits!;
    const rank = logits.shape.length;
    const axis = logarithm ? attrs.axis : attrs.dim;
    if (!allFloat(logits) || rank === 0 || (axis !== -1 && axis !== rank - 1)) return undefined;
    const n = logits.shape[rank - 1]!;
    const rows = sizeOf(logits.shape.slice(0, -1));
    const from = backend.pointer(logits);
    const { info, pointer } = backend.output(logits.shape);
    backend.call("softmax", from, pointer, rows, n, logarithm ? 1 : 0);
    return info;
  };
}

/** All reductions by tfjs name. */
export const REDUCTION_KERNELS: Readonly<Record<string, SimdKernel>> = {
  Sum: reductionKernel("Sum"),
  Max: reductionKernel("Max"),
  Min: reductionKernel("Min"),
  Mean: reductionKernel("Mean"),
  Softmax: softmaxKernel(false),
  LogSoftmax: softmaxKernel(true),
};
