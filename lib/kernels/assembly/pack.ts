// Packing of matrices into the panels that the micro-kernels stream through.

/** Inner-dimension block: a panel of B (KC * 32 bytes) and one of A stay in the first-level cache. */
export const KC: i32 = 256;

/** Bytes that the packed form of op(B) [k, n] takes. */
export function packedSize(n: i32, k: i32): i32 {
  return k * (((n + 7) >> 3) << 5);
}

/** Bytes of scratch memory that `gemm` needs; `gemmPacked` needs `gemmScratch(0, 0)`. */
export function gemmScratch(n: i32, k: i32): i32 {
  return packedSize(n, min(k, KC)) + KC * 16 + 4 * 32;
}

/**
 * Packs all of op(B) [k, n] at `out`; `transposed` says that the stored matrix is [n, k].
 * Layout: for each block of KC inner indices, for each panel of 8 columns, [k][8].
 */
export function packMatrix(b: usize, transposed: bool, n: i32, k: i32, out: usize): void {
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    packBlock(b, transposed, n, k, k0, kc, out);
    out += packedSize(n, kc);
  }
}

export function packBlock(
  b: usize,
  transposed: bool,
  n: i32,
  k: i32,
  k0: i32,
  kc: i32,
  out: usize,
): void {
  for (let j = 0; j < n; j += 8) {
    const width = min(8, n - j);
    if (transposed) {
      packColumns(b + (<usize> (j * k + k0) << 2), k, width, kc, out);
    } else {
      packRows(b + (<usize> (k0 * n + j) << 2), n, width, kc, out);
    }
    out += <usize> kc << 5;
  }
}

/** [kc][8] panel from kc stored rows of `width` values, `stride` floats apart. */
function packRows(source: usize, stride: i32, width: i32, kc: i32, out: usize): void {
  const step = <usize> stride << 2;
  const end = out + (<usize> kc << 5);
  if (width == 8) {
    while (out < end) {
      v128.store(out, v128.load(source));
      v128.store(out, v128.load(source, 16), 16);
      source += step;
      out += 32;
    }
    return;
  }
  const zero = f32x4.splat(0);
  while (out < end) {
    v128.store(out, zero);
    v128.store(out, zero, 16);
    for (let j = 0; j < width; j++) {
      store<f32>(out + (<usize> j << 2), load<f32>(source + (<usize> j << 2)));
    }
    source += step;
    out += 32;
  }
}

/** [kc][8] panel from `width` stored rows of kc values, `stride` floats apart. */
function packColumns(source: usize, stride: i32, width: i32, kc: i32, out: usize): void {
  const step = <usize> stride << 2;
  if (width < 8) {
    memory.fill(out, 0, <usize> kc << 5);
    for (let j = 0; j < width; j++) {
      let to = out + (<usize> j << 2);
      for (let k = 0; k < kc; k++, to += 32) {
        store<f32>(to, load<f32>(source + (<usize> k << 2)));
      }
      source += step;
    }
    return;
  }
  let k = 0;
  for (; k + 4 <= kc; k += 4) {
    transpose4(source, step, out, 32);
    transpose4(source + (step << 2), step, out + 16, 32);
    source += 16;
    out += 128;
  }
  for (; k < kc; k++) {
    for (let j = 0; j < 8; j++) store<f32>(out + (<usize> j << 2), load<f32>(source + step * j));
    source += 4;
    out += 32;
  }
}

/** Transposes a 4 x 4 block; both strides in bytes. */
export function transpose4(source: usize, sourceStep: usize, out: usize, outStep: usize): void {
  const a = v128.load(source);
  const b = v128.load(source + sourceStep);
  const c = v128.load(source + (sourceStep << 1));
  const d = v128.load(source + sourceStep * 3);
  const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5));
  v128.store(out + outStep, v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7));
  v128.store(out + (outStep << 1), v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(out + outStep * 3, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

/** Writes the pairs (e[i], f[i]), `outStep` bytes apart. */
function interleave(e: v128, f: v128, out: usize, outStep: usize): void {
  const low = v128.shuffle<f32>(e, f, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(e, f, 2, 6, 3, 7);
  v128.store64_lane(out, low, 0);
  v128.store64_lane(out + outStep, low, 1);
  v128.store64_lane(out + (outStep << 1), high, 0);
  v128.store64_lane(out + outStep * 3, high, 1);
}

/** [kc][rows] panel of A for rows i.. of op(A); `stride` is the stored row length. */
export function packA(
  a: usize,
  transposed: bool,
  stride: i32,
  i: i32,
  k0: i32,
  kc: i32,
  rows: i32,
  out: usize,
): void {
  const step = <usize> stride << 2;
  if (transposed) {
    let source = a + (<usize> (k0 * stride + i) << 2);
    if (rows == 4) {
      for (let k = 0; k < kc; k++) {
        v128.store(out, v128.load(source));
        source += step;
        out += 16;
      }
      return;
    }
    for (let k = 0; k < kc; k++) {
      for (let r = 0; r < rows; r++) {
        store<f32>(out, load<f32>(source + (<usize> r << 2)));
        out += 4;
      }
      source += step;
    }
    return;
  }
  let source = a + (<usize> (i * stride + k0) << 2);
  let k = 0;
  if (rows == 1) {
    memory.copy(out, source, <usize> kc << 2);
    return;
  }
  if (rows == 2) {
    for (; k + 4 <= kc; k += 4) {
      interleave(v128.load(source), v128.load(source + step), out, 8);
      source += 16;
      out += 32;
    }
  } else {
    for (; k + 4 <= kc; k += 4) {
      transpose4(source, step, out, 16);
      source += 16;
      out += 64;
    }
  }
  for (; k < kc; k++) {
    for (let r = 0; r < rows; r++) {
      store<f32>(out, load<f32>(source + step * r));
      out += 4;
    }
    source += 4;
  }
}
