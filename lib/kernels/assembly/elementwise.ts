// Pointwise operations. Operation codes are those of `lib/kernels/_operations.ts`.
import { exp4, gelu4, geluSlope4, log4, sigmoid4, tanh4 } from "./simd";
import { loadUpTo, storeUpTo } from "./partial";

function unary4(operation: i32, x: v128): v128 {
  switch (operation) {
    case 0:
      return f32x4.max(x, f32x4.splat(0));
    case 1:
      return tanh4(x);
    case 2:
      return sigmoid4(x);
    case 3:
      return gelu4(x);
    case 4:
      return exp4(x);
    case 5:
      return log4(x);
    case 6:
      return f32x4.neg(x);
    case 7:
      return f32x4.mul(x, x);
    case 8:
      return f32x4.sqrt(x);
    case 9:
      return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
    case 10:
      return f32x4.abs(x);
    case 11:
      return f32x4.div(f32x4.splat(1), x);
    default:
      return unreachable();
  }
}

/** out[i] = f(x[i]) for i < n; `out` may be `x`. */
export function unary(operation: i32, x: usize, out: usize, n: i32): void {
  const full = x + (<usize> (n & ~3) << 2);
  for (; x < full; x += 16, out += 16) v128.store(out, unary4(operation, v128.load(x)));
  const left = n & 3;
  if (left > 0) storeUpTo(out, unary4(operation, loadUpTo(x, left)), left);
}

/** Slope times dy; `saved` is the output for relu, tanh and sigmoid, the input for GELU. */
function slope4(operation: i32, saved: v128, dy: v128): v128 {
  switch (operation) {
    case 0:
      return v128.andnot(dy, f32x4.le(saved, f32x4.splat(0)));
    case 1:
      return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(saved, saved)));
    case 2:
      return f32x4.mul(dy, f32x4.mul(saved, f32x4.sub(f32x4.splat(1), saved)));
    case 3:
      return f32x4.mul(dy, geluSlope4(saved));
    default:
      return unreachable();
  }
}

/** dx[i] = dy[i] * f'(i) for i < n; `dx` may be `dy`. */
export function unaryGradient(operation: i32, saved: usize, dy: usize, dx: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    storeUpTo(dx, slope4(operation, loadUpTo(saved, n - i), loadUpTo(dy, n - i)), n - i);
    saved += 16;
    dy += 16;
    dx += 16;
  }
}

function binary4(operation: i32, a: v128, b: v128): v128 {
  switch (operation) {
    case 0:
      return f32x4.add(a, b);
    case 1:
      return f32x4.sub(a, b);
    case 2:
      return f32x4.mul(a, b);
    case 3:
      return f32x4.div(a, b);
    case 4:
      return f32x4.max(a, b);
    case 5:
      return f32x4.min(a, b);
    case 6: {
      const d = f32x4.sub(a, b);
      return f32x4.mul(d, d);
    }
    default:
      return unreachable();
  }
}

/**
 * out[r, c] = f(a[r, c], b[r, c]) over [rows, columns]. Row strides are in floats (0 repeats one
 * row); a column stride is 1, or 0 for one value per row.
 */
export function binary(
  operation: i32,
  a: usize,
  aRowStride: i32,
  aColumnStride: i32,
  b: usize,
  bRowStride: i32,
  bColumnStride: i32,
  out: usize,
  rows: i32,
  columns: i32,
): void {
  for (let r = 0; r < rows; r++) {
    let p = a + (<usize> (r * aRowStride) << 2);
    let q = b + (<usize> (r * bRowStride) << 2);
    for (let c = 0; c < columns; c += 4) {
      const left = columns - c;
      const x = aColumnStride == 0 ? v128.load_splat<f32>(p) : loadUpTo(p, left);
      const y = bColumnStride == 0 ? v128.load_splat<f32>(q) : loadUpTo(q, left);
      storeUpTo(out, binary4(operation, x, y), left);
      p += <usize> aColumnStride << 4;
      q += <usize> bColumnStride << 4;
      out += left < 4 ? <usize> left << 2 : 16;
    }
  }
}

/** out[i] = min(max(x[i], low), high); NaN stays NaN. */
export function clip(x: usize, low: f32, high: f32, out: usize, n: i32): void {
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  for (let i = 0; i < n; i += 4) {
    const v = loadUpTo(x, n - i);
    storeUpTo(out, f32x4.min(f32x4.max(v, least), most), n - i);
    x += 16;
    out += 16;
  }
}
