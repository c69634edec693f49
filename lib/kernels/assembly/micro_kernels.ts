// The innermost loops of the matrix product: a tile of C from a panel of A and one or more of B.
//
// `rowStep` is the number of bytes from one inner index of B to the next, `panelStep` from one panel
// of 8 columns to the next. `init` is what is added to the sums, 0 for nothing. Every kernel adds
// products in the order of the inner index and `init` last, so that a result does not depend on which
// kernel computed it.
import { madd } from "./simd";

/** Up to 8 columns of 4, 2 or 1 rows. */
export function rowsBy8(
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

export function rows2x16(
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

export function rows1x32(
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
