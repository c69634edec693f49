// Vectors at the end of a row whose length is not a multiple of four.

/** The first `count` floats at `from`, zeros after them; four when `count` >= 4. */
export function loadUpTo(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  let v = v128.load32_zero(from);
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(from, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(from, 8));
  return v;
}

/** Writes the first `count` lanes; four when `count` >= 4. */
export function storeUpTo(to: usize, v: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, v);
    return;
  }
  v128.store32_lane(to, v, 0);
  if (count > 1) v128.store32_lane(to, v, 1, 4);
  if (count > 2) v128.store32_lane(to, v, 2, 8);
}
