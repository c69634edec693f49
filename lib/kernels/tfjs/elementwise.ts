/** Pointwise kernels of the `simd` backend. */
import { tf } from "../_tensorflow.ts";
import { BINARY_OPERATIONS, UNARY_OPERATIONS } from "../_operations.ts";
import { allFloat, type SimdKernel, sizeOf } from "./_kernel.ts";

/** Strides of one operand over the [rows, columns] that both operands broadcast to. */
interface Strides {
  readonly row: number;
  readonly column: number;
}

/** Kernel of a function of one array. */
function unaryKernel(operation: number): SimdKernel {
  return ({ inputs, backend }) => {
    const x = inputs.x!;
    if (!allFloat(x)) return undefined;
    const from = backend.pointer(x);
    const { info, pointer } = backend.output(x.shape);
    backend.call("unary", operation, from, pointer, sizeOf(x.shape));
    return info;
  };
}

/** Kernel of a function of two arrays. */
function binaryKernel(operation: number): SimdKernel {
  return ({ inputs, backend }) => {
    const a = inputs.a!;
    const b = inputs.b!;
    if (!allFloat(a, b)) return undefined;
    const plan = planBroadcast(a.shape, b.shape);
    if (plan === undefined) return undefined;
    const aPointer = backend.pointer(a);
    const bPointer = backend.pointer(b);
    const { info, pointer } = backend.output(plan.shape);
    backend.call(
      "binary",
      operation,
      aPointer,
      plan.a.row,
      plan.a.column,
      bPointer,
      plan.b.row,
      plan.b.column,
      pointer,
      plan.rows,
      plan.columns,
    );
    return info;
  };
}

/** A broadcast as a loop over rows and columns. */
export interface BroadcastPlan {
  /** Shape of the result. */
  readonly shape: number[];
  /** Product of the leading dimensions. */
  readonly rows: number;
  /** Product of the others. */
  readonly columns: number;
  /** Strides of the first operand. */
  readonly a: Strides;
  /** Strides of the second operand. */
  readonly b: Strides;
}

/**
 * Splits the dimensions into rows and columns such that each operand is, along either, complete or
 * repeated; undefined when there is no such split ([2, 1, 3] with [1, 5, 1], for example).
 */
export function planBroadcast(
  aShape: readonly number[],
  bShape: readonly number[],
): BroadcastPlan | undefined {
  if (aShape.length === bShape.length && aShape.every((size, i) => size === bShape[i])) {
    const columns = sizeOf(aShape);
    const strides = { row: columns, column: 1 };
    return { shape: [...aShape], rows: 1, columns, a: strides, b: strides };
  }
  const shape = tf.backend_util.assertAndGetBroadcastShape(
    aShape as number[],
    bShape as number[],
  );
  const aPadded = padShape(aShape, shape.length);
  const bPadded = padShape(bShape, shape.length);
  for (let split = 0; split <= shape.length; split++) {
    const a = stridesAt(aPadded, shape, split);
    const b = a && stridesAt(bPadded, shape, split);
    if (a === undefined || b === undefined) continue;
    const rows = sizeOf(shape.slice(0, split));
    return { shape, rows, columns: sizeOf(shape.slice(split)), a, b };
  }
  return undefined;
}

function padShape(shape: readonly number[], rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}

function stridesAt(operand: number[], full: number[], split: number): Strides | undefined {
  const rows = coverage(operand.slice(0, split), full.slice(0, split));
  const columns = coverage(operand.slice(split), full.slice(split));
  if (rows === undefined || columns === undefined) return undefined;
  const own = columns === "complete" ? sizeOf(full.slice(split)) : 1;
  return { row: rows === "complete" ? own : 0, column: columns === "complete" ? 1 : 0 };
}

function coverage(part: number[], full: number[]): "complete" | "repeated" | undefined {
  if (part.every((size, i) => size === full[i])) return "complete";
  return part.every((size) => size === 1) ? "repeated" : undefined;
}

/** Clipping to an interval. */
const clipByValue: SimdKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  if (!allFloat(x)) return undefined;
  const from = backend.pointer(x);
  const { info, pointer } = backend.output(x.shape);
  backend.call("clip", from, attrs.clipValueMin, attrs.clipValueMax, pointer, sizeOf(x.shape));
  return info;
};

/** dx = dy * slope of GELU at x. */
const geluGradient: SimdKernel = ({ inputs, backend }) => {
  const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  const saved = backend.pointer(x);
  const from = backend.pointer(dy);
  const { info, pointer } = backend.output(x.shape);
  backend.call("unaryGradient", UNARY_OPERATIONS.Gelu, saved, from, pointer, sizeOf(x.shape));
  return info;
};

/** All pointwise kernels by tfjs name. */
export const ELEMENTWISE_KERNELS: Readonly<Record<string, SimdKernel>> = {
  ...Object.fromEntries(
    Object.entries(UNARY_OPERATIONS).map(([name, code]) => [name, unaryKernel(code)]),
  ),
  ...Object.fromEntries(
    Object.entries(BINARY_OPERATIONS).map(([name, code]) => [name, binaryKernel(code)]),
  ),
  ClipByValue: clipByValue,
  GeluGradient: geluGradient,
};
