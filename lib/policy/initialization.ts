/**
 * Initial weights.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";

/**
 * A (semi-)orthogonal matrix times a gain: rows are orthonormal when `rows <= columns`, columns
 * otherwise. The Q factor of a Gaussian matrix with the sign convention diag(R) > 0, so the result
 * is uniform over such matrices.
 *
 * Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
 * networks" (2014); PPO detail 2 of "The 37 implementation details of PPO" (2022).
 *
 * @param rng Draws `rows * columns` normals.
 * @param shape `[rows, columns]`, each an integer >= 1.
 * @param gain Factor of every entry, e.g. sqrt(2) before a ReLU.
 * @returns New row-major array `[rows, columns]`.
 * @throws {RangeError} When a dimension is not an integer >= 1.
 *
 * @example
 * ```ts
 * import { orthogonal } from "@signalbox/signalbox/policy";
 * import { Rng } from "@signalbox/signalbox/random";
 * import assert from "node:assert/strict";
 *
 * const [a, b, c, d] = orthogonal(new Rng(1), [2, 2], 1);
 * assert.ok(Math.abs(a! * c! + b! * d!) < 1e-6);
 * assert.ok(Math.abs(a! * a! + b! * b! - 1) < 1e-6);
 * ```
 */
export function orthogonal(
  rng: Rng,
  shape: readonly [rows: number, columns: number],
  gain: number,
): Float32Array {
  const [rows, columns] = shape;
  if (!Number.isInteger(rows) || rows < 1 || !Number.isInteger(columns) || columns < 1) {
    throw new RangeError(
      `Cannot draw an orthogonal matrix: shape must be two integers >= 1, current value is [${rows}, ${columns}]`,
    );
  }
  const vectorCount = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors = Array.from(
    { length: vectorCount },
    () => Float64Array.from({ length }, () => rng.normal()),
  );
  orthonormalize(vectors);
  const matrix = new Float32Array(rows * columns);
  for (let i = 0; i < vectorCount; i++) {
    for (let j = 0; j < length; j++) {
      matrix[rows <= columns ? i * columns + j : j * columns + i] = gain * vectors[i]![j]!;
    }
  }
  return matrix;
}

/**
 * Modified Gram-Schmidt in place. In float64 one pass is enough: what it loses, about 1e-16 times
 * the condition number, is far below the rounding to float32.
 */
function orthonormalize(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, i) => {
    for (let k = 0; k < i; k++) addScaled(vector, vectors[k]!, -dot(vector, vectors[k]!));
    const norm = Math.sqrt(dot(vector, vector));
    for (let j = 0; j < vector.length; j++) vector[j]! /= norm;
  });
}

/** Inner product. */
function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

/** `target += factor * source`. */
function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let j = 0; j < target.length; j++) target[j]! += factor * source[j]!;
}
