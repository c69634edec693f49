import assert from "node:assert/strict";
import fc from "fast-check";
import { RewardScaler } from "../../lib/ppo/mod.ts";
import { assertAllClose } from "../_helpers.ts";

Deno.test("RewardScaler.scale() divides by the deviation of the discounted return", () => {
  const scaler = new RewardScaler({ environmentCount: 2, gamma: 0.5, clip: null });
  // returns 4 and 2: mean 3, population deviation 1
  assertAllClose(scaler.scale([4, 2], [0, 1]), [4, 2], { atol: 1e-12 });
  // returns .5*4 + 6 = 8 and, after the end, 6: of {4, 2, 8, 6} the variance is 5
  const expected = [6 / Math.sqrt(5), 6 / Math.sqrt(5)];
  assertAllClose(scaler.scale([6, 6], [0, 0]), expected, { atol: 1e-12 });
});

Deno.test("RewardScaler.scale() never changes a sign and keeps zero", () => {
  // eighths: far from numbers so small that a division rounds them to 0
  const reward = fc.integer({ min: -8000, max: 8000 }).map((eighths) => eighths / 8);
  const rewards = fc.array(reward, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(rewards, (rewards) => {
      const scaler = new RewardScaler({ environmentCount: 1, gamma: 0.9, clip: 10 });
      for (const reward of rewards) {
        const [scaled] = scaler.scale([reward], [0]);
        assert.equal(Math.sign(scaled!), Math.sign(reward));
        assert.ok(Math.abs(scaled!) <= 10);
      }
    }),
    { seed: 2, numRuns: 100 },
  );
});

Deno.test("RewardScaler continues from its state and refuses one of other environments", () => {
  const options = { environmentCount: 1, gamma: 0.9, clip: null };
  const [scaler, resumed] = [new RewardScaler(options), new RewardScaler(options)];
  scaler.scale([1], [0]);
  scaler.scale([-3], [0]);
  resumed.setState(JSON.parse(JSON.stringify(scaler.getState())));
  assert.deepEqual(resumed.scale([2], [1]), scaler.scale([2], [1]));
  const other = new RewardScaler({ ...options, environmentCount: 2 });
  assert.throws(() => other.setState(scaler.getState()), {
    name: "RangeError",
    message: "Cannot restore the reward scaler: returns must have 2 entries, current value is 1",
  });
});
