/** All values in one new array, in order. */
export function concatenate(arrays: readonly ArrayLike<number>[]): Float64Array {
  const out = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const array of arrays) {
    out.set(array, filled);
    filled += array.length;
  }
  return out;
}
