import assert from "node:assert/strict";
import { ppoSchema, scheduledValues } from "../../lib/ppo/mod.ts";
import { ConfigError, parseConfig } from "../../lib/support/mod.ts";

Deno.test("scheduledValues() is constant by default", () => {
  const config = ppoSchema.parse({});
  assert.deepEqual(scheduledValues(config, 0.9), {
    learningRate: 5e-3,
    criticLearningRate: 5e-3,
    entropyCoef: 0.25,
  });
});

Deno.test("scheduledValues() moves the learning rates to 0 and the entropy weight to its final value", () => {
  const config = ppoSchema.parse({
    learningRate: 0.4,
    criticLearningRate: 0.8,
    learningRateSchedule: "linear",
    entropyCoef: 0.5,
    entropyCoefFinal: 0.1,
  });
  const expected = [
    [0, { learningRate: 0.4, criticLearningRate: 0.8, entropyCoef: 0.5 }],
    [0.5, { learningRate: 0.2, criticLearningRate: 0.4, entropyCoef: 0.3 }],
    [1, { learningRate: 0, criticLearningRate: 0, entropyCoef: 0.5 + (0.1 - 0.5) }],
  ] as const;
  for (const [progress, values] of expected) {
    assert.deepEqual(scheduledValues(config, progress), values);
  }
});

Deno.test("scheduledValues() refuses progress outside [0, 1]", () => {
  assert.throws(() => scheduledValues(ppoSchema.parse({}), 1.5), {
    name: "RangeError",
    message: "Cannot compute the schedules: progress must be in [0, 1], current value is 1.5",
  });
});

Deno.test("ppoSchema refuses unknown keys and values out of range", () => {
  for (
    const [input, field] of [[{ gama: 1 }, "gama"], [{ gamma: 1.1 }, "gamma"], [
      { epochs: 0.5 },
      "epochs",
    ]] as const
  ) {
    assert.throws(
      () => parseConfig(ppoSchema, input, "ppo"),
      (error) => error instanceof ConfigError && error.field === `ppo.${field}`,
    );
  }
});
