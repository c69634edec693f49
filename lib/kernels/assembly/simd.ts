// Elementary functions on four floats at a time. NaN passes through; infinities give the limits.

/** a * b + c: fused where relaxed SIMD is compiled in, two roundings otherwise. */
export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of the four lanes, pairwise. */
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Largest lane; NaN if any lane is NaN. */
export function maxLanes(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** Smallest lane; NaN if any lane is NaN. */
export function minLanes(v: v128): f32 {
  const pairs = f32x4.min(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return min(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/**
 * Constants that are loaded where they are used: engines build a vector constant in the code from
 * four instructions, a broadcast load is one. In the order of the byte offsets below.
 */
const CONSTANTS = memory.data<f32>([
  // exp: bounds, log2(e), rounding constant 1.5 * 2^23, -ln 2 in two parts, polynomial, 1
  89.0,
  -104.0,
  1.44269504,
  12582912.0,
  -0.693359375,
  2.12194440e-4,
  1.9875691500e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
  1.0,
  // tanh: polynomial, 2, limit of the polynomial
  -5.70498872745e-3,
  2.06390887954e-2,
  -5.37397155531e-2,
  1.33314422036e-1,
  -3.33332819422e-1,
  2.0,
  0.625,
  // exp without subnormal results: least argument
  -87.33654,
  // normal distribution function: p / sqrt 2, coefficients / 2
  <f32> (0.3275911 * 0.7071067811865476),
  <f32> (1.061405429 * 0.5),
  <f32> (-1.453152027 * 0.5),
  <f32> (1.421413741 * 0.5),
  <f32> (-0.284496736 * 0.5),
  <f32> (0.254829592 * 0.5),
  // GELU: -1/2, bounds, 1 / sqrt(2 pi)
  -0.5,
  -15.0,
  15.0,
  0.39894228,
]);

/** The constant at a byte offset. */
function constant(offset: usize): v128 {
  return v128.load_splat<f32>(CONSTANTS + offset);
}

/** 1 in every lane. */
function one4(): v128 {
  return constant(48);
}

/** exp(r) for |r| <= ln(2) / 2: polynomial from Cephes `expf` (Moshier). */
function expOfRemainder(r: v128): v128 {
  let p = constant(24);
  p = madd(p, r, constant(28));
  p = madd(p, r, constant(32));
  p = madd(p, r, constant(36));
  p = madd(p, r, constant(40));
  p = madd(p, r, constant(44));
  return f32x4.add(madd(f32x4.mul(r, r), p, r), one4());
}

/** x - n ln 2 with ln 2 in two parts. */
function remainder(x: v128, n: v128): v128 {
  return madd(n, constant(20), madd(n, constant(16), x));
}

/**
 * exp(x), within 2 ulp. x = n ln 2 + r; adding 1.5 * 2^23 rounds x / ln 2 to n and leaves n in the
 * low bits; 2^n is applied as two factors so that subnormal results and overflow come out right.
 */
export function exp4(x: v128): v128 {
  const clamped = f32x4.max(f32x4.min(x, constant(0)), constant(4));
  const rounding = constant(12);
  const shifted = madd(clamped, constant(8), rounding);
  const p = expOfRemainder(remainder(clamped, f32x4.sub(shifted, rounding)));
  const exponent = i32x4.sub(shifted, rounding);
  const half = i32x4.shr_s(exponent, 1);
  const low = i32x4.add(i32x4.shl(half, 23), one4());
  const high = i32x4.add(i32x4.shl(i32x4.sub(exponent, half), 23), one4());
  return f32x4.mul(f32x4.mul(p, low), high);
}

/** As `exp4` for results that are added to something: 0 below 2^-126, Infinity from 2^127.5 on. */
function expNormal4(x: v128): v128 {
  const least = constant(80);
  const clamped = f32x4.max(f32x4.min(x, constant(0)), least);
  const rounding = constant(12);
  const shifted = madd(clamped, constant(8), rounding);
  const p = expOfRemainder(remainder(clamped, f32x4.sub(shifted, rounding)));
  const scale = i32x4.add(i32x4.shl(i32x4.sub(shifted, rounding), 23), one4());
  return v128.andnot(f32x4.mul(p, scale), f32x4.lt(x, least));
}

/**
 * Natural logarithm, within 2 ulp; log(0) = -Infinity, log(negative) = NaN. Polynomial from Cephes
 * `logf` (Moshier) on [sqrt(1/2), sqrt(2)); subnormals are scaled up first.
 */
export function log4(x: v128): v128 {
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608.0)), x, tiny);
  let e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(scaled, 23), i32x4.splat(126)));
  e = f32x4.sub(e, v128.and(tiny, f32x4.splat(23.0)));
  // Mantissa in [0.5, 1), then moved to [sqrt(1/2), sqrt(2)).
  let m = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), f32x4.splat(0.5));
  const low = f32x4.lt(m, f32x4.splat(0.70710678));
  e = f32x4.sub(e, v128.and(low, f32x4.splat(1.0)));
  m = f32x4.sub(f32x4.add(m, v128.and(low, m)), f32x4.splat(1.0));
  const z = f32x4.mul(m, m);
  let p = f32x4.splat(7.0376836292e-2);
  p = madd(p, m, f32x4.splat(-1.1514610310e-1));
  p = madd(p, m, f32x4.splat(1.1676998740e-1));
  p = madd(p, m, f32x4.splat(-1.2420140846e-1));
  p = madd(p, m, f32x4.splat(1.4249322787e-1));
  p = madd(p, m, f32x4.splat(-1.6668057665e-1));
  p = madd(p, m, f32x4.splat(2.0000714765e-1));
  p = madd(p, m, f32x4.splat(-2.4999993993e-1));
  p = madd(p, m, f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = madd(e, f32x4.splat(-2.12194440e-4), y);
  y = madd(z, f32x4.splat(-0.5), y);
  y = madd(e, f32x4.splat(0.693359375), f32x4.add(m, y));
  // Special cases: 0, +Infinity, and everything for which x > 0 does not hold.
  const infinity = f32x4.splat(Infinity);
  y = v128.bitselect(infinity, y, f32x4.eq(x, infinity));
  const positive = f32x4.gt(x, f32x4.splat(0.0));
  const zero = f32x4.eq(x, f32x4.splat(0.0));
  const special = v128.bitselect(f32x4.splat(-Infinity), f32x4.splat(NaN), zero);
  return v128.bitselect(y, special, positive);
}

/**
 * tanh(x), within 2 ulp: odd polynomial from Cephes `tanhf` (Moshier) below 0.625, else
 * 1 - 2 / (exp(2|x|) + 1) with the sign put back.
 */
export function tanh4(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = constant(52);
  p = madd(p, z, constant(56));
  p = madd(p, z, constant(60));
  p = madd(p, z, constant(64));
  p = madd(p, z, constant(68));
  const small = madd(f32x4.mul(p, z), x, x);
  const one = one4();
  const e = expNormal4(f32x4.add(magnitude, magnitude));
  const large = f32x4.sub(one, f32x4.div(constant(72), f32x4.add(e, one)));
  const signed = v128.or(large, v128.xor(x, magnitude));
  return v128.bitselect(small, signed, f32x4.lt(magnitude, constant(76)));
}

/** 1 / (1 + exp(-x)). */
export function sigmoid4(x: v128): v128 {
  const one = one4();
  return f32x4.div(one, f32x4.add(one, expNormal4(f32x4.neg(x))));
}

/**
 * Standard normal distribution function, |error| <= 2e-7: erfc(|x| / sqrt 2) by Abramowitz and Stegun,
 * "Handbook of Mathematical Functions", 7.1.26, `density` being exp(-x^2 / 2).
 */
function normalCdf4(x: v128, density: v128): v128 {
  const one = one4();
  const t = f32x4.div(one, madd(f32x4.abs(x), constant(84), one));
  let p = constant(88);
  p = madd(p, t, constant(92));
  p = madd(p, t, constant(96));
  p = madd(p, t, constant(100));
  p = madd(p, t, constant(104));
  const upper = f32x4.mul(f32x4.mul(p, t), density);
  return v128.bitselect(upper, f32x4.sub(one, upper), f32x4.lt(x, f32x4.splat(0)));
}

/** exp(-x^2 / 2). */
function gaussian4(x: v128): v128 {
  return expNormal4(f32x4.mul(f32x4.mul(x, x), constant(108)));
}

/** GELU(x) = x Phi(x), the exact form (not the tanh approximation). -Infinity gives -0. */
export function gelu4(x: v128): v128 {
  // Below -15 Phi underflows; clamping keeps -Infinity from becoming -Infinity * 0.
  const clamped = f32x4.max(x, constant(112));
  return f32x4.mul(clamped, normalCdf4(clamped, gaussian4(clamped)));
}

/** d GELU / dx = Phi(x) + x phi(x). */
export function geluSlope4(x: v128): v128 {
  const clamped = f32x4.max(f32x4.min(x, constant(116)), constant(112));
  const density = gaussian4(clamped);
  const cdf = normalCdf4(clamped, density);
  return madd(f32x4.mul(clamped, constant(120)), density, cdf);
}
