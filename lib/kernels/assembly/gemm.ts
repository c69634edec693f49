// Blocked matrix product C = init + op(A) op(B) for row-major float32 matrices.
//
// B is packed into panels of 8 columns ([k][8], zero padded), A into panels of 4, 2 or 1 rows
// ([k][rows]), one block of KC of the inner dimension at a time, so that the innermost loop streams
// through two contiguous buffers with all sums in registers. The packing is what makes all four
// transpositions the same loop.
//
// Engines may check the bounds of every load, so that loads are dear: the main kernel gets 32
// products out of three. It loads four rows of A as one vector and rotates it, instead of
// broadcasting each row.
import { madd } from "./simd";

/** Inner-dimension block: a panel of B (KC * 32 bytes) and one of A stay in the first-level cache. */
const KC: i32 = 256;

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

function packBlock(
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
function packA(
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

/**
 * C [m, n] = init + op(A) op(B).
 *
 * `init` is an [m, n] matrix when `initStride` is n (0 means none: zeros), or one row added to every
 * row (a bias) when `initStride` is 0 and `init` is not null. C may be `init` itself.
 */
export function gemm(
  a: usize,
  aTransposed: bool,
  b: usize,
  bTransposed: bool,
  c: usize,
  m: i32,
  n: i32,
  k: i32,
  init: usize,
  initStride: i32,
  scratch: usize,
): void {
  if (k == 0) return initialise(c, m, n, init, initStride);
  const aStride = aTransposed ? m : k;
  const aScratch = scratch + packedSize(n, min(k, KC));
  // With few rows, packing B would cost as much as the product: read its rows where they are.
  const direct = !bTransposed && m <= 4;
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    const blockInit = k0 == 0 ? init : c;
    const blockStride = k0 == 0 ? initStride : n;
    if (direct) {
      const from = b + (<usize> (k0 * n) << 2);
      block(
        a,
        aTransposed,
        aStride,
        from,
        32,
        <usize> n << 2,
        c,
        m,
        n,
        k0,
        kc,
        blockInit,
        blockStride,
        aScratch,
      );
    } else {
      packBlock(b, bTransposed, n, k, k0, kc, scratch);
      block(
        a,
        aTransposed,
        aStride,
        scratch,
        kc << 5,
        32,
        c,
        m,
        n,
        k0,
        kc,
        blockInit,
        blockStride,
        aScratch,
      );
    }
  }
}

/** As `gemm`, with op(B) packed by `packMatrix`. */
export function gemmPacked(
  a: usize,
  aTransposed: bool,
  packed: usize,
  c: usize,
  m: i32,
  n: i32,
  k: i32,
  init: usize,
  initStride: i32,
  scratch: usize,
): void {
  if (k == 0) return initialise(c, m, n, init, initStride);
  const aStride = aTransposed ? m : k;
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    const blockInit = k0 == 0 ? init : c;
    const blockStride = k0 == 0 ? initStride : n;
    block(
      a,
      aTransposed,
      aStride,
      packed,
      kc << 5,
      32,
      c,
      m,
      n,
      k0,
      kc,
      blockInit,
      blockStride,
      scratch,
    );
    packed += packedSize(n, kc);
  }
}

function initialise(c: usize, m: i32, n: i32, init: usize, initStride: i32): void {
  const bytes = <usize> n << 2;
  for (let i = 0; i < m; i++) {
    const row = c + bytes * i;
    if (init == 0) memory.fill(row, 0, bytes);
    else memory.copy(row, init + (<usize> (i * initStride) << 2), bytes);
  }
}

/** One inner-dimension block of the product; `panelStep` and `rowStep` locate B's panels and rows. */
function block(
  a: usize,
  aTransposed: bool,
  aStride: i32,
  b: usize,
  panelStep: usize,
  rowStep: usize,
  c: usize,
  m: i32,
  n: i32,
  k0: i32,
  kc: i32,
  init: usize,
  initStride: i32,
  scratch: usize,
): void {
  const tile = scratch + KC * 16;
  const cStep = <usize> n << 2;
  const initStep = <usize> initStride << 2;
  const full = n & ~7;
  let i = 0;
  while (i < m) {
    const left = m - i;
    const rows = left >= 4 ? 4 : left >= 2 ? 2 : 1;
    packA(a, aTransposed, aStride, i, k0, kc, rows, scratch);
    const cRow = c + cStep * i;
    const initRow = init == 0 ? <usize> 0 : init + initStep * i;
    let panel = b;
    let j = 0;
    if (rows == 2) {
      for (; j + 16 <= n; j += 16) {
        const at = <usize> j << 2;
        rows2x16(
          kc,
          scratch,
          panel,
          panelStep,
          rowStep,
          initRow == 0 ? <usize> 0 : initRow + at,
          initStep,
          cRow + at,
          cStep,
        );
        panel += panelStep << 1;
      }
    } else if (rows == 1) {
      for (; j + 32 <= n; j += 32) {
        const at = <usize> j << 2;
        rows1x32(
          kc,
          scratch,
          panel,
          panelStep,
          rowStep,
          initRow == 0 ? <usize> 0 : initRow + at,
          cRow + at,
        );
        panel += panelStep << 2;
      }
    }
    for (; j < full; j += 8) {
      const at = <usize> j << 2;
      rowsBy8(
        rows,
        kc,
        scratch,
        panel,
        rowStep,
        initRow == 0 ? <usize> 0 : initRow + at,
        initStep,
        cRow + at,
        cStep,
      );
      panel += panelStep;
    }
    if (j < n) {
      // The last, partial panel is computed in a full-width tile and its valid part copied out.
      const at = <usize> j << 2;
      const bytes = <usize> (n - j) << 2;
      if (initRow != 0) {
        for (let r = 0; r < rows; r++) {
          memory.copy(tile + (r << 5), initRow + at + initStep * r, bytes);
        }
      }
      rowsBy8(rows, kc, scratch, panel, rowStep, initRow == 0 ? 0 : tile, 32, tile, 32);
      for (let r = 0; r < rows; r++) memory.copy(cRow + at + cStep * r, tile + (r << 5), bytes);
    }
    i += rows;
  }
}

function rowsBy8(
  rows: i32,
  kc: i32,
  a: usize,
  b: usize,
  rowStep: usize,
  init: usize,
  initStep: usize,
  c: usize,
  cStep: usize,
): void {
  if (rows == 4) rows4x8(kc, a, b, rowStep, init, initStep, c, cStep);
  else if (rows == 2) rows2x8(kc, a, b, rowStep, init, initStep, c, cStep);
  else rows1x8(kc, a, b, rowStep, init, c);
}

/** Writes sum, plus the four initial values if there are any. */
function finish(sum: v128, init: usize, to: usize): void {
  v128.store(to, init == 0 ? sum : f32x4.add(sum, v128.load(init)));
}

/** As `finish` for eight neighbours. */
function finish2(left: v128, right: v128, init: usize, to: usize): void {
  finish(left, init, to);
  finish(right, init == 0 ? <usize> 0 : init + 16, to + 16);
}

/**
 * Puts four rotated vectors of sums in order: lane j of `d_r` belongs to row (j + r) mod 4; writes four
 * columns of four rows.
 */
function finishRotated(
  d0: v128,
  d1: v128,
  d2: v128,
  d3: v128,
  init: usize,
  initStep: usize,
  c: usize,
  cStep: usize,
): void {
  // Row i is lane 0 of d_i, 1 of d_(i-1), 2 of d_(i-2), 3 of d_(i-3).
  const p0 = v128.shuffle<f32>(d0, d3, 0, 5, 2, 7);
  const p1 = v128.shuffle<f32>(d1, d0, 0, 5, 2, 7);
  const p2 = v128.shuffle<f32>(d2, d1, 0, 5, 2, 7);
  const p3 = v128.shuffle<f32>(d3, d2, 0, 5, 2, 7);
  const next = init == 0 ? 0 : initStep;
  finish(v128.shuffle<f32>(p0, p2, 0, 1, 6, 7), init, c);
  finish(v128.shuffle<f32>(p1, p3, 0, 1, 6, 7), init + next, c + cStep);
  finish(v128.shuffle<f32>(p2, p0, 0, 1, 6, 7), init + next * 2, c + cStep * 2);
  finish(v128.shuffle<f32>(p3, p1, 0, 1, 6, 7), init + next * 3, c + cStep * 3);
}

function rows4x8(
  kc: i32,
  a: usize,
  b: usize,
  rowStep: usize,
  init: usize,
  initStep: usize,
  c: usize,
  cStep: usize,
): void {
  let d00 = f32x4.splat(0);
  let d01 = f32x4.splat(0);
  let d10 = f32x4.splat(0);
  let d11 = f32x4.splat(0);
  let d20 = f32x4.splat(0);
  let d21 = f32x4.splat(0);
  let d30 = f32x4.splat(0);
  let d31 = f32x4.splat(0);
  const end = a + (<usize> kc << 4);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load(a);
    d00 = madd(x, b0, d00);
    d01 = madd(x, b1, d01);
    x = v128.shuffle<f32>(x, x, 1, 2, 3, 0);
    d10 = madd(x, b0, d10);
    d11 = madd(x, b1, d11);
    x = v128.shuffle<f32>(x, x, 1, 2, 3, 0);
    d20 = madd(x, b0, d20);
    d21 = madd(x, b1, d21);
    x = v128.shuffle<f32>(x, x, 1, 2, 3, 0);
    d30 = madd(x, b0, d30);
    d31 = madd(x, b1, d31);
    a += 16;
    b += rowStep;
  }
  finishRotated(d00, d10, d20, d30, init, initStep, c, cStep);
  finishRotated(d01, d11, d21, d31, init == 0 ? <usize> 0 : init + 16, initStep, c + 16, cStep);
}

function rows2x16(
  kc: i32,
  a: usize,
  b: usize,
  panelStep: usize,
  rowStep: usize,
  init: usize,
  initStep: usize,
  c: usize,
  cStep: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c12 = f32x4.splat(0);
  let c13 = f32x4.splat(0);
  let right = b + panelStep;
  const end = a + (<usize> kc << 3);
  while (a < end) {
    const x = v128.load_splat<f32>(a);
    const y = v128.load_splat<f32>(a, 4);
    let w = v128.load(b);
    c00 = madd(x, w, c00);
    c10 = madd(y, w, c10);
    w = v128.load(b, 16);
    c01 = madd(x, w, c01);
    c11 = madd(y, w, c11);
    w = v128.load(right);
    c02 = madd(x, w, c02);
    c12 = madd(y, w, c12);
    w = v128.load(right, 16);
    c03 = madd(x, w, c03);
    c13 = madd(y, w, c13);
    a += 8;
    b += rowStep;
    right += rowStep;
  }
  finish2(c00, c01, init, c);
  finish2(c02, c03, init == 0 ? <usize> 0 : init + 32, c + 32);
  const second = init == 0 ? <usize> 0 : init + initStep;
  finish2(c10, c11, second, c + cStep);
  finish2(c12, c13, init == 0 ? <usize> 0 : second + 32, c + cStep + 32);
}

function rows2x8(
  kc: i32,
  a: usize,
  b: usize,
  rowStep: usize,
  init: usize,
  initStep: usize,
  c: usize,
  cStep: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  const end = a + (<usize> kc << 3);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load_splat<f32>(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    a += 8;
    b += rowStep;
  }
  finish2(c00, c01, init, c);
  finish2(c10, c11, init == 0 ? <usize> 0 : init + initStep, c + cStep);
}

function rows1x32(
  kc: i32,
  a: usize,
  b: usize,
  panelStep: usize,
  rowStep: usize,
  init: usize,
  c: usize,
): void {
  let c0 = f32x4.splat(0);
  let c1 = f32x4.splat(0);
  let c2 = f32x4.splat(0);
  let c3 = f32x4.splat(0);
  let c4 = f32x4.splat(0);
  let c5 = f32x4.splat(0);
  let c6 = f32x4.splat(0);
  let c7 = f32x4.splat(0);
  let second = b + panelStep;
  let third = second + panelStep;
  let fourth = third + panelStep;
  const end = a + (<usize> kc << 2);
  while (a < end) {
    const x = v128.load_splat<f32>(a);
    c0 = madd(x, v128.load(b), c0);
    c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(second), c2);
    c3 = madd(x, v128.load(second, 16), c3);
    c4 = madd(x, v128.load(third), c4);
    c5 = madd(x, v128.load(third, 16), c5);
    c6 = madd(x, v128.load(fourth), c6);
    c7 = madd(x, v128.load(fourth, 16), c7);
    a += 4;
    b += rowStep;
    second += rowStep;
    third += rowStep;
    fourth += rowStep;
  }
  finish2(c0, c1, init, c);
  finish2(c2, c3, init == 0 ? <usize> 0 : init + 32, c + 32);
  finish2(c4, c5, init == 0 ? <usize> 0 : init + 64, c + 64);
  finish2(c6, c7, init == 0 ? <usize> 0 : init + 96, c + 96);
}

function rows1x8(kc: i32, a: usize, b: usize, rowStep: usize, init: usize, c: usize): void {
  let c0 = f32x4.splat(0);
  let c1 = f32x4.splat(0);
  const end = a + (<usize> kc << 2);
  while (a < end) {
    const x = v128.load_splat<f32>(a);
    c0 = madd(x, v128.load(b), c0);
    c1 = madd(x, v128.load(b, 16), c1);
    a += 4;
    b += rowStep;
  }
  finish2(c0, c1, init, c);
}
