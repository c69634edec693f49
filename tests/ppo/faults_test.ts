import assert from "node:assert/strict";
import { ppoSchema } from "../../lib/ppo/mod.ts";
import { ConfigError, parseConfig } from "../../lib/support/mod.ts";
import { createTraining } from "./_training.ts";

const RECURRENT = "actor_critic decoupled";

/** Largest |ratio - 1| before the first step, at temperatures of 1.5 and 2.5. */
function ratioDeviation(name: string, ppo: Record<string, unknown>): number {
  const { policy, update } = createTraining(
    name,
    ppoSchema.parse({
      rolloutLength: 8,
      minibatchSize: 8,
      sequenceLength: 1,
      ...ppo,
    }),
  );
  const { initialRatioDeviation } = update();
  policy.dispose();
  return initialRatioDeviation;
}

Deno.test("ppo.faults: ratios are 1 before the first step without one, and not with one", () => {
  const faults = [{ updateTemperature: "one" }, { sequenceStates: "afterRollout" }];
  assert.ok(ratioDeviation(RECURRENT, {}) < 1e-5, "none");
  for (const fault of faults) {
    const deviation = ratioDeviation(RECURRENT, { faults: fault });
    assert.ok(deviation > 0.01, `${JSON.stringify(fault)}: ${deviation}`);
  }
});

Deno.test("ppo.faults.sequenceStates afterRollout leaves policies without a memory alone", () => {
  assert.ok(ratioDeviation("mlp tanh", { faults: { sequenceStates: "afterRollout" } }) < 1e-5);
});

Deno.test("ppo.faults.sequenceStates afterRollout is refused with longer sequences", () => {
  const input = { faults: { sequenceStates: "afterRollout" }, sequenceLength: 8 };
  assert.throws(
    () => parseConfig(ppoSchema, input, "ppo"),
    (error) => error instanceof ConfigError && /1 when ppo\.faults\./.test(error.message),
  );
});
