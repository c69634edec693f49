/** Operation codes of `assembly/elementwise.ts` and `assembly/reduce.ts`, by tfjs kernel name. */

/** Functions of one array. */
export const UNARY_OPERATIONS = {
  Relu: 0,
  Tanh: 1,
  Sigmoid: 2,
  Gelu: 3,
  Exp: 4,
  Log: 5,
  Neg: 6,
  Square: 7,
  Sqrt: 8,
  Rsqrt: 9,
  Abs: 10,
  Reciprocal: 11,
} as const;

/** Functions of two arrays that broadcast against each other. */
export const BINARY_OPERATIONS = {
  Add: 0,
  Sub: 1,
  Multiply: 2,
  RealDiv: 3,
  Maximum: 4,
  Minimum: 5,
  SquaredDifference: 6,
} as const;

/** Reductions; the mean is a scaled sum. */
export const REDUCTIONS = { Sum: 0, Max: 1, Min: 2, Mean: 0 } as const;
