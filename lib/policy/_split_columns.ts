import { tf } from "./_tensorflow.ts";

/** A matrix cut into `count` equally wide ones; tfjs's split into one has no gradient. */
export function splitColumns(matrix: tf.Tensor2D, count: number): tf.Tensor2D[] {
  return count === 1 ? [matrix] : tf.split(matrix, count, 1);
}
