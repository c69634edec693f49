/**
 * Piecewise linear functions whose gradients are made of float arithmetic.
 *
 * tfjs's own gradients of these functions compare tensors, which yields boolean ones; functions that
 * are to be compiled ({@linkcode ArrayFunction}) cannot use those. Values and gradients are tfjs's.
 *
 * @module
 */
import { tf } from "./_tensorflow.ts";

/** So large that any positive number of the size that occurs here becomes more than 1. */
const STEEP = 1e30;

/** 1 where x > 0, else 0. */
function isPositive<T extends tf.Tensor>(x: T): T {
  return tf.clipByValue(tf.mul(x, STEEP), 0, 1) as T;
}

/** 1 where x <= 0, else 0. */
function isNotPositive<T extends tf.Tensor>(x: T): T {
  return tf.sub(1, isPositive(x)) as T;
}

/**
 * The smaller of two numbers, entry by entry, of tensors of one shape; the gradient goes to the
 * first where they are equal.
 */
export function minimum<T extends tf.Tensor>(a: T, b: T): T {
  const operation = tf.customGrad((...args) => {
    const [a, b] = args as tf.Tensor[];
    const difference = tf.sub(a!, b!);
    (args[2] as tf.GradSaveFunc)([difference]);
    return {
      value: tf.minimum(a!, b!),
      gradFunc: (dy, [difference]) => [
        tf.mul(dy as tf.Tensor, isNotPositive(difference!)),
        tf.mul(dy as tf.Tensor, isPositive(difference!)),
      ],
    };
  });
  return operation(a, b) as T;
}

/**
 * The larger of two numbers, entry by entry, of tensors of one shape; the gradient goes to the first
 * where they are equal.
 */
export function maximum<T extends tf.Tensor>(a: T, b: T): T {
  return tf.neg(minimum(tf.neg(a), tf.neg(b)));
}

/** max(x, 0) with slope 0 at 0. */
export function positivePart<T extends tf.Tensor>(x: T): T {
  return tf.neg(minimum(tf.zerosLike(x), tf.neg(x)));
}

/** Numbers clipped to [low, high]; slope 1 inside and on the border, 0 outside. */
export function clip<T extends tf.Tensor>(x: T, low: number, high: number): T {
  const operation = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return {
      value: tf.clipByValue(x as tf.Tensor, low, high),
      gradFunc: (dy, [x]) => {
        const isInside = tf.mul(isNotPositive(tf.sub(low, x!)), isNotPositive(tf.sub(x!, high)));
        return tf.mul(dy as tf.Tensor, isInside);
      },
    };
  });
  return operation(x) as T;
}
