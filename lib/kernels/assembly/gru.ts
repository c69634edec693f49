// A GRU layer over a whole sequence, forward and backward through time.
//
// Rows are time-major: row t * batch + b. Gates come in the order reset, update, new:
//   h = keep h';  r = sigmoid(a_r + s_r);  z = sigmoid(a_z + s_z);  n = tanh(a_n + r s_n)
//   h' = n + z (h - n),  with a = x Wi + bi and s = h Wh + bh.
// `saved` keeps r, z, n and s_n of every row, [steps * batch, 4 units], for the backward pass.
import { gemm, gemmPacked } from "./gemm";
import { gemmScratch, packedSize, packMatrix } from "./pack";
import { loadUpTo, storeUpTo } from "./partial";
import { reduce } from "./reduce";
import { sigmoid4, tanh4 } from "./simd";

/** Bytes of scratch memory for `gruForward`. */
export function gruForwardScratch(steps: i32, batch: i32, inputs: i32, units: i32): i32 {
  const gates = 3 * units;
  const activations = (steps * batch * gates + batch * gates + batch * units) << 2;
  return activations + packedSize(gates, units) +
    max(gemmScratch(gates, inputs), gemmScratch(gates, units));
}

/** Bytes of scratch memory for `gruBackward`. */
export function gruBackwardScratch(steps: i32, batch: i32, inputs: i32, units: i32): i32 {
  const rows = steps * batch;
  const gates = 3 * units;
  const activations = (2 * rows * gates + rows * units + 2 * batch * units) << 2;
  const products = max(
    max(gemmScratch(inputs, gates), gemmScratch(gates, rows)),
    gemmScratch(units, gates),
  );
  return activations + packedSize(units, gates) + products;
}

/** out [batch, units] = keep * h; a kept row is copied, a cleared one is zero even if h is NaN. */
function maskRows(h: usize, keep: usize, out: usize, batch: i32, units: i32): void {
  const bytes = <usize> units << 2;
  for (let b = 0; b < batch; b++) {
    if (load<f32>(keep) == 0) memory.fill(out, 0, bytes);
    else memory.copy(out, h, bytes);
    h += bytes;
    out += bytes;
    keep += 4;
  }
}

/** `packed` says that `inputKernel` and `recurrentKernel` come from `packMatrix`. */
export function gruForward(
  x: usize,
  h0: usize,
  keep: usize,
  inputKernel: usize,
  inputBias: usize,
  recurrentKernel: usize,
  recurrentBias: usize,
  packed: bool,
  out: usize,
  saved: usize,
  steps: i32,
  batch: i32,
  inputs: i32,
  units: i32,
  scratch: usize,
): void {
  const gates = 3 * units;
  const rowBytes = <usize> units << 2;
  const stateBytes = rowBytes * batch;
  const fromInput = scratch;
  const fromState = fromInput + (<usize> (steps * batch * gates) << 2);
  const masked = fromState + (<usize> (batch * gates) << 2);
  const panels = masked + stateBytes;
  const rest = panels + packedSize(gates, units);
  let kernel = recurrentKernel;
  if (packed) {
    gemmPacked(x, false, inputKernel, fromInput, steps * batch, gates, inputs, inputBias, 0, rest);
  } else {
    gemm(x, false, inputKernel, false, fromInput, steps * batch, gates, inputs, inputBias, 0, rest);
    if (steps > 1) {
      packMatrix(recurrentKernel, false, gates, units, panels);
      kernel = panels;
    }
  }
  let previous = h0;
  let a = fromInput;
  for (let t = 0; t < steps; t++) {
    maskRows(previous, keep, masked, batch, units);
    if (packed || steps > 1) {
      gemmPacked(masked, false, kernel, fromState, batch, gates, units, recurrentBias, 0, rest);
    } else {
      gemm(masked, false, kernel, false, fromState, batch, gates, units, recurrentBias, 0, rest);
    }
    let s = fromState;
    let h = masked;
    let to = out;
    for (let b = 0; b < batch; b++) {
      for (let j = 0; j < units; j += 4) {
        const at = <usize> j << 2;
        const left = units - j;
        const aReset = a + at;
        const sReset = s + at;
        const reset = sigmoid4(f32x4.add(loadUpTo(aReset, left), loadUpTo(sReset, left)));
        const update = sigmoid4(
          f32x4.add(loadUpTo(aReset + rowBytes, left), loadUpTo(sReset + rowBytes, left)),
        );
        const sNew = loadUpTo(sReset + (rowBytes << 1), left);
        const candidate = tanh4(
          f32x4.add(loadUpTo(aReset + (rowBytes << 1), left), f32x4.mul(reset, sNew)),
        );
        const difference = f32x4.sub(loadUpTo(h + at, left), candidate);
        storeUpTo(to + at, f32x4.add(candidate, f32x4.mul(update, difference)), left);
        storeUpTo(saved + at, reset, left);
        storeUpTo(saved + at + rowBytes, update, left);
        storeUpTo(saved + at + rowBytes * 2, candidate, left);
        storeUpTo(saved + at + rowBytes * 3, sNew, left);
      }
      a += rowBytes * 3;
      s += rowBytes * 3;
      h += rowBytes;
      to += rowBytes;
      saved += rowBytes * 4;
    }
    previous = out;
    out += stateBytes;
    keep += <usize> batch << 2;
  }
}

/** Gradients with respect to everything; `dx` and `dH0` may be null (0) when nobody needs them. */
export function gruBackward(
  x: usize,
  h0: usize,
  keep: usize,
  inputKernel: usize,
  recurrentKernel: usize,
  out: usize,
  saved: usize,
  dOut: usize,
  dx: usize,
  dH0: usize,
  dInputKernel: usize,
  dInputBias: usize,
  dRecurrentKernel: usize,
  dRecurrentBias: usize,
  steps: i32,
  batch: i32,
  inputs: i32,
  units: i32,
  scratch: usize,
): void {
  const rows = steps * batch;
  const gates = 3 * units;
  const rowBytes = <usize> units << 2;
  const stateBytes = rowBytes * batch;
  const dInput = scratch;
  const dState = dInput + (<usize> (rows * gates) << 2);
  const masked = dState + (<usize> (rows * gates) << 2);
  const dh = masked + stateBytes * steps;
  const dKept = dh + stateBytes;
  const panels = dKept + stateBytes;
  const rest = panels + packedSize(units, gates);
  packMatrix(recurrentKernel, true, units, gates, panels);

  maskRows(h0, keep, masked, batch, units);
  maskRows(out, keep + (<usize> batch << 2), masked + stateBytes, (steps - 1) * batch, units);
  memory.fill(dh, 0, stateBytes);
  for (let t = steps - 1; t >= 0; t--) {
    const first = t * batch;
    for (let b = 0; b < batch; b++) {
      const row = <usize> (first + b);
      const gateRow = row * rowBytes * 3;
      const s = saved + row * rowBytes * 4;
      const h = masked + row * rowBytes;
      const dHere = dh + rowBytes * b;
      for (let j = 0; j < units; j += 4) {
        const at = <usize> j << 2;
        const left = units - j;
        const one = f32x4.splat(1);
        const reset = loadUpTo(s + at, left);
        const update = loadUpTo(s + at + rowBytes, left);
        const candidate = loadUpTo(s + at + rowBytes * 2, left);
        const sNew = loadUpTo(s + at + rowBytes * 3, left);
        const d = f32x4.add(loadUpTo(dOut + row * rowBytes + at, left), loadUpTo(dHere + at, left));
        const dCandidate = f32x4.mul(
          f32x4.mul(d, f32x4.sub(one, update)),
          f32x4.sub(one, f32x4.mul(candidate, candidate)),
        );
        const dUpdate = f32x4.mul(
          f32x4.mul(d, f32x4.sub(loadUpTo(h + at, left), candidate)),
          f32x4.mul(update, f32x4.sub(one, update)),
        );
        const dReset = f32x4.mul(
          f32x4.mul(dCandidate, sNew),
          f32x4.mul(reset, f32x4.sub(one, reset)),
        );
        const i = dInput + gateRow + at;
        storeUpTo(i, dReset, left);
        storeUpTo(i + rowBytes, dUpdate, left);
        storeUpTo(i + rowBytes * 2, dCandidate, left);
        const o = dState + gateRow + at;
        storeUpTo(o, dReset, left);
        storeUpTo(o + rowBytes, dUpdate, left);
        storeUpTo(o + rowBytes * 2, f32x4.mul(dCandidate, reset), left);
        storeUpTo(dKept + rowBytes * b + at, f32x4.mul(d, update), left);
      }
    }
    if (t > 0 || dH0 != 0) {
      const dStateHere = dState + stateBytes * 3 * t;
      gemmPacked(dStateHere, false, panels, dKept, batch, units, gates, dKept, units, rest);
      maskRows(dKept, keep + (<usize> first << 2), dh, batch, units);
    }
  }
  if (dH0 != 0) memory.copy(dH0, dh, stateBytes);
  gemm(x, true, dInput, false, dInputKernel, inputs, gates, rows, 0, 0, rest);
  gemm(masked, true, dState, false, dRecurrentKernel, units, gates, rows, 0, 0, rest);
  reduce(0, dInput, dInputBias, 1, rows, gates, 1);
  reduce(0, dState, dRecurrentBias, 1, rows, gates, 1);
  if (dx != 0) gemm(dInput, false, inputKernel, true, dx, rows, inputs, gates, 0, 0, rest);
}
