import assert from "node:assert/strict";
import fc from "fast-check";
import { ReturnNormalizer } from "../../lib/ppo/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { CONFIGS } from "../policy/_policies.ts";
import { createTraining } from "./_training.ts";

Deno.test("ReturnNormalizer.update() keeps the mean and population deviation of all returns", () => {
  const normalizer = new ReturnNormalizer();
  assert.deepEqual([normalizer.mean, normalizer.deviation], [0, 1]);
  normalizer.update([4, 2]);
  assert.deepEqual([normalizer.mean, normalizer.deviation], [3, 1]);
  normalizer.update(new Float32Array([8, 6]));
  // of {4, 2, 8, 6} the variance is (1 + 9 + 9 + 1) / 4
  assertAllClose([normalizer.mean, normalizer.deviation], [5, Math.sqrt(5)], { rtol: 1e-15 });
});

Deno.test("ReturnNormalizer divides by 1 where returns do not vary", () => {
  const normalizer = new ReturnNormalizer();
  normalizer.update([7, 7, 7]);
  assert.deepEqual([...normalizer.normalize([7, 9])], [0, 2]);
});

Deno.test("ReturnNormalizer.denormalize() undoes normalize(), for returns of any size", () => {
  const returns = fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });
  fc.assert(
    fc.property(returns, (returns) => {
      const normalizer = new ReturnNormalizer();
      normalizer.update(returns);
      const back = normalizer.denormalize(normalizer.normalize(returns));
      // the way goes through float32 numbers of size return / deviation
      const size = Math.max(...returns.map(Math.abs), normalizer.deviation);
      assertAllClose(back, returns, { atol: 1e-6 * size });
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("ReturnNormalizer refuses what is not finite and takes in nothing then", () => {
  const normalizer = new ReturnNormalizer();
  assert.throws(() => normalizer.update([1, NaN]), {
    name: "RangeError",
    message: "Cannot normalize returns: returns[1] must be finite, current value is NaN",
  });
  assert.deepEqual(normalizer.getState(), { count: 0, mean: 0, squaredDeviation: 0 });
});

Deno.test("ReturnNormalizer continues from its state", () => {
  const [normalizer, resumed] = [new ReturnNormalizer(), new ReturnNormalizer()];
  normalizer.update([1, 3.7]);
  resumed.setState(JSON.parse(JSON.stringify(normalizer.getState())));
  for (const each of [normalizer, resumed]) each.update([-2.1]);
  assert.deepEqual(resumed.getState(), normalizer.getState());
});

for (const name of Object.keys(CONFIGS)) {
  Deno.test(`PpoTrainer (${name}): new units of returns leave values and logits where they were`, () => {
    // A step size of 0, so that only the units change.
    const ppo = { returnNormalization: true, learningRateSchedule: "linear", epochs: 1 } as const;
    const { policy, buffer, trainer, collect } = createTraining(name, ppo);
    const normalizer = trainer.returnNormalizer!;
    const { observationSize } = policy;
    const observations = new Float32Array(5 * observationSize).map((_, i) => Math.sin(i));
    const hiddenStates = policy.initialHiddenStates(5);
    const seen: number[] = [];
    const before = policy.predict(observations, { hiddenStates });
    for (let rollout = 0; rollout < 3; rollout++) {
      collect();
      // Returns that are large and drift, which advantages do not notice.
      buffer.returns.forEach((value, i) => buffer.returns[i] = 40 * value + 500 * rollout);
      seen.push(...buffer.returns);
      const { valueLoss } = trainer.update(buffer, { progress: 1 });
      const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
      const variance = seen.reduce((sum, value) => sum + (value - mean) ** 2, 0) / seen.length;
      assertAllClose([normalizer.mean, normalizer.deviation], [mean, Math.sqrt(variance)], {
        rtol: 1e-12,
      });
      const { logits, values } = policy.predict(observations, { hiddenStates });
      assert.deepEqual(logits, before.logits);
      // float32 weights of the head, times a deviation of some hundreds
      const size = normalizer.deviation + Math.abs(mean);
      assertAllClose(normalizer.denormalize(values), before.values, { atol: 1e-5 * size });
      const errors = buffer.returns.map((value, i) => (value - buffer.values[i]!) ** 2 / variance);
      const expected = errors.reduce((sum, error) => sum + error, 0) / errors.length / 2;
      assertAllClose([valueLoss], [expected], { rtol: 1e-4 });
    }
    policy.dispose();
  });
}

Deno.test("collectRollout() stores values in units of returns", () => {
  const ppo = { returnNormalization: true, gamma: 0.5, gaeLambda: 1 };
  const [plain, shifted] = [createTraining("mlp tanh", ppo), createTraining("mlp tanh", ppo)];
  // mean 100, deviation 10
  shifted.trainer.returnNormalizer!.setState({ count: 1, mean: 100, squaredDeviation: 100 });
  plain.collect();
  shifted.collect();
  const [a, b] = [plain.buffer, shifted.buffer];
  assert.deepEqual(b.actions, a.actions);
  assertAllClose(b.values, a.values.map((value) => 10 * value + 100), { rtol: 1e-6 });
  assert.ok(a.truncated.includes(1), "episodes that were cut off");
  a.truncated.forEach((isCut, i) => {
    const expected = isCut === 1 ? 10 * a.truncationValues[i]! + 100 : 0;
    assertAllClose([b.truncationValues[i]!], [expected], { rtol: 1e-6 });
  });
  for (const last of [14, 15]) {
    // R = r + 0.5 V of the state after the last step, unless the episode ended there
    if (a.terminated[last] === 1 || a.truncated[last] === 1) continue;
    const [raw, scaled] = [a, b].map(({ returns, rewards }) =>
      (returns[last]! - rewards[last]!) / 0.5
    );
    assertAllClose([scaled!], [10 * raw! + 100], { rtol: 1e-5 });
  }
  plain.policy.dispose();
  shifted.policy.dispose();
});
