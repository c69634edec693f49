// Layer normalisation over rows, forward and backward.
import { loadUpTo, storeUpTo } from "./partial";
import { madd, sumLanes } from "./simd";

function rowMean(x: usize, n: i32): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let i = 0;
  for (; i + 8 <= n; i += 8, x += 32) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
  }
  for (; i < n; i += 4, x += 16) a = f32x4.add(a, loadUpTo(x, n - i));
  return sumLanes(f32x4.add(a, b)) / <f32> n;
}

/** 1 / sqrt(variance + epsilon) with the population variance, in a second pass over the row. */
function rowInverseDeviation(x: usize, mean: f32, n: i32, epsilon: f32): f32 {
  const centre = f32x4.splat(mean);
  let a = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16) {
    const d = f32x4.sub(v128.load(x), centre);
    a = madd(d, d, a);
  }
  let total = sumLanes(a);
  for (; i < n; i++, x += 4) {
    const d = load<f32>(x) - mean;
    total += d * d;
  }
  return 1 / sqrt<f32>(total / <f32> n + epsilon);
}

/** out = gain * (x - mean) / sqrt(variance + epsilon) + bias for each row of x [rows, n]. */
export function layerNorm(
  x: usize,
  gain: usize,
  bias: usize,
  out: usize,
  rows: i32,
  n: i32,
  epsilon: f32,
): void {
  const bytes = <usize> n << 2;
  for (let r = 0; r < rows; r++) {
    const mean = rowMean(x, n);
    const centre = f32x4.splat(mean);
    const scale = f32x4.splat(rowInverseDeviation(x, mean, n, epsilon));
    for (let j = 0; j < n; j += 4) {
      const at = <usize> j << 2;
      const left = n - j;
      const normal = f32x4.mul(f32x4.sub(loadUpTo(x + at, left), centre), scale);
      storeUpTo(out + at, madd(normal, loadUpTo(gain + at, left), loadUpTo(bias + at, left)), left);
    }
    x += bytes;
    out += bytes;
  }
}

/**
 * Gradients of `layerNorm`. With u = (x - mean) / deviation and g = dy * gain:
 * dx = (g - mean(g) - u mean(g u)) / deviation, dGain = sum over rows of dy u, dBias = sum of dy.
 * The statistics are computed again, which is cheaper than storing them. `dx` may be `dy`.
 */
export function layerNormGradient(
  x: usize,
  gain: usize,
  dy: usize,
  dx: usize,
  dGain: usize,
  dBias: usize,
  rows: i32,
  n: i32,
  epsilon: f32,
): void {
  const bytes = <usize> n << 2;
  memory.fill(dGain, 0, bytes);
  memory.fill(dBias, 0, bytes);
  for (let r = 0; r < rows; r++) {
    const mean = rowMean(x, n);
    const inverse = rowInverseDeviation(x, mean, n, epsilon);
    const centre = f32x4.splat(mean);
    const scale = f32x4.splat(inverse);
    let sum = f32x4.splat(0);
    let product = f32x4.splat(0);
    for (let j = 0; j < n; j += 4) {
      const at = <usize> j << 2;
      const left = n - j;
      const d = loadUpTo(dy + at, left);
      const u = f32x4.mul(f32x4.sub(loadUpTo(x + at, left), centre), scale);
      // Lanes past the row's end have d = 0 and gain = 0, so that they add nothing.
      const g = f32x4.mul(d, loadUpTo(gain + at, left));
      sum = f32x4.add(sum, g);
      product = madd(g, u, product);
      storeUpTo(dGain + at, madd(d, u, loadUpTo(dGain + at, left)), left);
      storeUpTo(dBias + at, f32x4.add(d, loadUpTo(dBias + at, left)), left);
    }
    const meanOfG = f32x4.splat(sumLanes(sum) / <f32> n);
    const meanOfProduct = f32x4.splat(sumLanes(product) / <f32> n);
    for (let j = 0; j < n; j += 4) {
      const at = <usize> j << 2;
      const left = n - j;
      const u = f32x4.mul(f32x4.sub(loadUpTo(x + at, left), centre), scale);
      const g = f32x4.mul(loadUpTo(dy + at, left), loadUpTo(gain + at, left));
      const inner = f32x4.sub(f32x4.sub(g, meanOfG), f32x4.mul(u, meanOfProduct));
      storeUpTo(dx + at, f32x4.mul(inner, scale), left);
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
}
