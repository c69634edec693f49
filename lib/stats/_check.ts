/** Refuses an empty sample and any value that is not finite. */
export function requireFiniteSample(act: string, name: string, values: ArrayLike<number>): void {
  if (values.length === 0) {
    throw new RangeError(
      `Cannot ${act}: ${name} must hold at least one value, current length is 0`,
    );
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new RangeError(
        `Cannot ${act}: ${name}[${i}] must be finite, current value is ${values[i]}`,
      );
    }
  }
}

/** Refuses a number that is no probability in the open interval (0, 1). */
export function requireOpenProbability(act: string, name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new RangeError(`Cannot ${act}: ${name} must be in (0, 1), current value is ${value}`);
  }
}
