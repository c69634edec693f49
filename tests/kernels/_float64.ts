/** The layers in float64 on plain arrays: what the kernels are held against. */

/** Row-major numbers. */
export type Values = readonly number[];

/** Sum of b[j] + sum_k a[i, k] w[k, j]. */
export function denseFloat64(x: Values, kernel: Values, bias: Values): number[] {
  const outputs = bias.length;
  const inputs = kernel.length / outputs;
  const rows = x.length / inputs;
  return Array.from({ length: rows * outputs }, (_, index) => {
    const [row, column] = [Math.floor(index / outputs), index % outputs];
    let sum = bias[column]!;
    for (let k = 0; k < inputs; k++) sum += x[row * inputs + k]! * kernel[k * outputs + column]!;
    return sum;
  });
}

export function layerNormFloat64(
  x: Values,
  gain: Values,
  bias: Values,
  epsilon: number,
): number[] {
  const n = gain.length;
  const result: number[] = [];
  for (let start = 0; start < x.length; start += n) {
    const row = x.slice(start, start + n);
    const mean = row.reduce((sum, value) => sum + value, 0) / n;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
    row.forEach((value, j) => {
      result.push(gain[j]! * (value - mean) / Math.sqrt(variance + epsilon) + bias[j]!);
    });
  }
  return result;
}

export interface GruFloat64Weights {
  readonly inputKernel: Values;
  readonly inputBias: Values;
  readonly recurrentKernel: Values;
  readonly recurrentBias: Values;
}

export function gruFloat64(
  input: Values,
  initialHiddenState: Values,
  keep: Values,
  weights: GruFloat64Weights,
): number[] {
  const gates = weights.inputBias.length;
  const units = gates / 3;
  const batch = initialHiddenState.length / units;
  const steps = keep.length / batch;
  const fromInput = denseFloat64(input, weights.inputKernel, weights.inputBias);
  const result: number[] = [];
  let hidden = [...initialHiddenState];
  for (let t = 0; t < steps; t++) {
    const kept = hidden.map((value, i) => value * keep[t * batch + Math.floor(i / units)]!);
    const fromState = denseFloat64(kept, weights.recurrentKernel, weights.recurrentBias);
    hidden = kept.map((previous, i) => {
      const [b, j] = [Math.floor(i / units), i % units];
      const a = (gate: number) => fromInput[(t * batch + b) * gates + gate * units + j]!;
      const s = (gate: number) => fromState[b * gates + gate * units + j]!;
      const reset = sigmoid(a(0) + s(0));
      const update = sigmoid(a(1) + s(1));
      const candidate = Math.tanh(a(2) + reset * s(2));
      return (1 - update) * candidate + update * previous;
    });
    result.push(...hidden);
  }
  return result;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Standard normal distribution function: Simpson's rule on the density, good to 1e-12. */
export function normalCdf(x: number): number {
  if (x < -10) return 0;
  const panels = 2000;
  const width = (x + 10) / panels;
  let sum = 0;
  for (let i = 0; i <= panels; i++) {
    const weight = i === 0 || i === panels ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-0.5 * (-10 + i * width) ** 2);
  }
  return (sum * width) / (3 * Math.sqrt(2 * Math.PI));
}

/** Central differences of a scalar function with respect to one argument; error about 1e-9. */
export function numericGradient(f: (values: number[]) => number, at: Values): number[] {
  const step = 1e-5;
  return at.map((value, i) => {
    const moved = [...at];
    moved[i] = value + step;
    const above = f(moved);
    moved[i] = value - step;
    return (above - f(moved)) / (2 * step);
  });
}
