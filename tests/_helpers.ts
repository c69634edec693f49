/** Shared by the tests of all areas. */
import assert from "node:assert/strict";

/** How far a value may be from the expected one: atol + rtol * |expected|. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

/** Fails unless both have the same length and every entry is within tolerance; NaN equals NaN. */
export function assertAllClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 0, atol = 0 }: Tolerance,
): void {
  assert.equal(actual.length, expected.length, "lengths differ");
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    const isClose = Object.is(a, e) || Math.abs(a - e) <= atol + rtol * Math.abs(e);
    assert.ok(isClose, `entry ${i}: ${a} is not within ${atol} + ${rtol} * |e| of ${e}`);
  }
}

/** What `body` makes of an empty folder that is gone afterwards. */
export async function withFolder<T>(body: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
