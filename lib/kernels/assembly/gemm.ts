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
import { rows1x32, rows2x16, rowsBy8 } from "./micro_kernels";
import { KC, packA, packBlock, packedSize } from "./pack";

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
