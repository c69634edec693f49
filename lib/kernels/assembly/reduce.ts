// Reductions over one axis of a contiguous [outer, n, inner] array, softmax, transposition.
import { transpose4 } from "./pack";
import { loadUpTo, storeUpTo } from "./partial";
import { exp4, maxLanes, minLanes, sumLanes } from "./simd";

function combine4(operation: i32, a: v128, b: v128): v128 {
  if (operation == 0) return f32x4.add(a, b);
  return operation == 1 ? f32x4.max(a, b) : f32x4.min(a, b);
}

function identity(operation: i32): f32 {
  if (operation == 0) return 0;
  return operation == 1 ? -Infinity : Infinity;
}

/** Reduction of n contiguous floats; four running vectors shorten the chain of dependent sums. */
function reduceRow(operation: i32, x: usize, n: i32): f32 {
  const neutral = f32x4.splat(identity(operation));
  let a = neutral;
  let b = neutral;
  let c = neutral;
  let d = neutral;
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    a = combine4(operation, a, v128.load(x));
    b = combine4(operation, b, v128.load(x, 16));
    c = combine4(operation, c, v128.load(x, 32));
    d = combine4(operation, d, v128.load(x, 48));
    x += 64;
  }
  for (; i + 4 <= n; i += 4, x += 16) a = combine4(operation, a, v128.load(x));
  for (; i < n; i++, x += 4) {
    b = combine4(operation, b, f32x4.replace_lane(neutral, 0, load<f32>(x)));
  }
  a = combine4(operation, combine4(operation, a, b), combine4(operation, c, d));
  if (operation == 0) return sumLanes(a);
  return operation == 1 ? maxLanes(a) : minLanes(a);
}

/** out[o, i] = scale * reduction over k of x[o, k, i]. Operations: 0 sum, 1 maximum, 2 minimum. */
export function reduce(
  operation: i32,
  x: usize,
  out: usize,
  outer: i32,
  n: i32,
  inner: i32,
  scale: f32,
): void {
  const bytes = <usize> inner << 2;
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      store<f32>(out, scale * reduceRow(operation, x, n));
      x += <usize> n << 2;
      out += 4;
      continue;
    }
    const factor = f32x4.splat(scale);
    for (let i = 0; i < inner; i += 4) {
      let from = x + (<usize> i << 2);
      let v = f32x4.splat(identity(operation));
      for (let k = 0; k < n; k++, from += bytes) {
        v = combine4(operation, v, loadUpTo(from, inner - i));
      }
      storeUpTo(out + (<usize> i << 2), f32x4.mul(v, factor), inner - i);
    }
    x += bytes * n;
    out += bytes;
  }
}

/** Row-wise softmax, or its logarithm, of [rows, n]; the row maximum is subtracted first. */
export function softmax(x: usize, out: usize, rows: i32, n: i32, logarithm: bool): void {
  const bytes = <usize> n << 2;
  for (let r = 0; r < rows; r++) {
    const most = f32x4.splat(reduceRow(1, x, n));
    let total: f32 = 0;
    for (let j = 0; j < n; j += 4) {
      const at = <usize> j << 2;
      const e = exp4(f32x4.sub(loadUpTo(x + at, n - j), most));
      if (logarithm) {
        total += partialSum(e, n - j);
      } else {
        storeUpTo(out + at, e, n - j);
      }
    }
    if (logarithm) {
      // x - max first: max + log(total) would lose small logits next to a large maximum.
      const log = f32x4.splat(<f32> Math.log(<f64> total));
      for (let j = 0; j < n; j += 4) {
        const at = <usize> j << 2;
        storeUpTo(out + at, f32x4.sub(f32x4.sub(loadUpTo(x + at, n - j), most), log), n - j);
      }
    } else {
      const inverse = f32x4.splat(reduceRow(0, out, n));
      for (let j = 0; j < n; j += 4) {
        const at = <usize> j << 2;
        storeUpTo(out + at, f32x4.div(loadUpTo(out + at, n - j), inverse), n - j);
      }
    }
    x += bytes;
    out += bytes;
  }
}

function partialSum(v: v128, count: i32): f32 {
  if (count >= 4) return sumLanes(v);
  let total = f32x4.extract_lane(v, 0);
  if (count > 1) total += f32x4.extract_lane(v, 1);
  if (count > 2) total += f32x4.extract_lane(v, 2);
  return total;
}

/** out [columns, rows] = transpose of x [rows, columns]. */
export function transpose(x: usize, out: usize, rows: i32, columns: i32): void {
  const inStep = <usize> columns << 2;
  const outStep = <usize> rows << 2;
  const fullRows = rows & ~3;
  const fullColumns = columns & ~3;
  for (let r = 0; r < fullRows; r += 4) {
    for (let c = 0; c < fullColumns; c += 4) {
      const from = x + inStep * r + (<usize> c << 2);
      transpose4(from, inStep, out + outStep * c + (<usize> r << 2), outStep);
    }
  }
  for (let r = 0; r < rows; r++) {
    for (let c = r < fullRows ? fullColumns : 0; c < columns; c++) {
      const value = load<f32>(x + inStep * r + (<usize> c << 2));
      store<f32>(out + outStep * c + (<usize> r << 2), value);
    }
  }
}

/** Sum of squares in double precision, with four partial sums. */
export function sumSquares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let i = 0; i < n; i += 4, x += 16) {
    const v = loadUpTo(x, n - i);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const total = f64x2.add(low, high);
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}
