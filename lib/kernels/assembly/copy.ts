// Strided copies: slices, splits and concatenations of row-major arrays.

/** Copies `rows` runs of `bytes` bytes; both steps are in bytes. */
export function copyRows(
  from: usize,
  fromStep: i32,
  to: usize,
  toStep: i32,
  bytes: i32,
  rows: i32,
): void {
  for (let r = 0; r < rows; r++) {
    memory.copy(to, from, <usize> bytes);
    from += <usize> fromStep;
    to += <usize> toStep;
  }
}
