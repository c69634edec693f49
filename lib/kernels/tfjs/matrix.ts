/** Matrix products and transposition of the `simd` backend. */
import { tf } from "../_tensorflow.ts";
import { UNARY_OPERATIONS } from "../_operations.ts";
import type { SimdBackend } from "../simd_backend.ts";
import { allFloat, type SimdKernel, sizeOf } from "./_kernel.ts";

/** One product of two matrices; addresses are bytes. */
export interface Product {
  /** Address of A. */
  readonly a: number;
  /** Whether A is stored [k, m]. */
  readonly aTransposed: boolean;
  /** Address of B. */
  readonly b: number;
  /** Whether B is stored [n, k]. */
  readonly bTransposed: boolean;
  /** Address of C [m, n]. */
  readonly c: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Address of a bias of n values added to every row, 0 for none. */
  readonly bias?: number;
}

/** C = op(A) op(B) + bias. */
export function multiply(backend: SimdBackend, product: Product): void {
  const { a, aTransposed, b, bTransposed, c, m, n, k, bias = 0 } = product;
  backend.withScratch(backend.kernels.gemmScratch(n, k), (scratch) => {
    backend.call(
      "gemm",
      a,
      aTransposed ? 1 : 0,
      b,
      bTransposed ? 1 : 0,
      c,
      m,
      n,
      k,
      bias,
      0,
      scratch,
    );
  });
}

/** C [m, n] = A [m, k] B + bias with B packed. */
export function multiplyPacked(
  backend: SimdBackend,
  { a, packed, c, m, n, k, bias }: {
    readonly a: number;
    readonly packed: number;
    readonly c: number;
    readonly m: number;
    readonly n: number;
    readonly k: number;
    readonly bias: number;
  },
): void {
  backend.withScratch(backend.kernels.gemmScratch(0, 0), (scratch) => {
    backend.call("gemmPacked", a, 0, packed, c, m, n, k, bias, 0, scratch);
  });
}

/** Activations that `_FusedMatMul` may ask for and that are applied in place. */
const FUSED_ACTIVATIONS: Readonly<Record<string, number | undefined>> = {
  linear: -1,
  relu: UNARY_OPERATIONS.Relu,
  sigmoid: UNARY_OPERATIONS.Sigmoid,
};

/** Kernel of (batched) matrix products, with bias and activation when fused. */
const matMul: SimdKernel = ({ inputs, attrs, backend }) => {
  const a = inputs.a!;
  const b = inputs.b!;
  const bias = inputs.bias;
  const activation = FUSED_ACTIVATIONS[attrs.activation ?? "linear"];
  if (!allFloat(a, b) || activation === undefined) return undefined;
  const aTransposed = attrs.transposeA === true;
  const bTransposed = attrs.transposeB === true;
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  const [m, k] = matrixShape(a.shape, aTransposed);
  const [bInner, n] = matrixShape(b.shape, bTransposed);
  const aCount = sizeOf(aBatch);
  const bCount = sizeOf(bBatch);
  if (k !== bInner) {
    throw new RangeError(
      `Cannot multiply matrices: inner dimensions must agree, shapes are [${a.shape}] and [${b.shape}]`,
    );
  }
  const batch = tf.backend_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const count = sizeOf(batch);
  const plainBatch = [aCount, bCount].every((size) => size === count || size === 1);
  if (!plainBatch || (bias !== undefined && sizeOf(bias.shape) !== n)) return undefined;
  const aPointer = backend.pointer(a);
  const bPointer = backend.pointer(b);
  const biasPointer = bias === undefined ? 0 : backend.pointer(bias);
  const { info, pointer } = backend.output([...batch, m, n]);
  for (let i = 0; i < count; i++) {
    multiply(backend, {
      a: aPointer + (aCount === 1 ? 0 : i * m * k * 4),
      aTransposed,
      b: bPointer + (bCount === 1 ? 0 : i * k * n * 4),
      bTransposed,
      c: pointer + i * m * n * 4,
      m,
      n,
      k,
      bias: biasPointer,
    });
  }
  if (activation >= 0) backend.call("unary", activation, pointer, pointer, count * m * n);
  return info;
};

/** Rows and columns of op(matrix). */
function matrixShape(shape: readonly number[], transposed: boolean): [number, number] {
  const rows = shape[shape.length - 2]!;
  const columns = shape[shape.length - 1]!;
  return transposed ? [columns, rows] : [rows, columns];
}

/** Transposition of a matrix; other permutations are left to tfjs. */
const transpose: SimdKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  const permutation: number[] = attrs.perm;
  if (!allFloat(x) || permutation.length !== 2 || permutation[0] !== 1) return undefined;
  const [rows, columns] = x.shape as [number, number];
  const from = backend.pointer(x);
  const { info, pointer } = backend.output([columns, rows]);
  backend.call("transpose", from, pointer, rows, columns);
  return info;
};

/** All matrix kernels by tfjs name. */
export const MATRIX_KERNELS: Readonly<Record<string, SimdKernel>> = {
  [tf.BatchMatMul]: matMul,
  [tf._FusedMatMul]: matMul,
  [tf.Transpose]: transpose,
};
