import assert from "node:assert/strict";
import fc from "fast-check";
import { computeGae, type GaeInput } from "../../lib/ppo/mod.ts";
import { assertAllClose } from "../_helpers.ts";

/** spec/scheduler.md A5: r = [1, 0, 2], V = [.5, .4, .3], V_T = .2, gamma .9, lambda .8. */
const BASE: GaeInput = {
  rewards: [1, 0, 2],
  values: [0.5, 0.4, 0.3],
  terminated: [0, 0, 0],
  truncated: [0, 0, 0],
  truncationValues: [0, 0, 0],
  discounts: [0.9, 0.9, 0.9],
  lastValues: [0.2],
  environmentCount: 1,
  gaeLambda: 0.8,
};

function advantages(input: GaeInput): Float64Array {
  return computeGae(input, new Float64Array(input.rewards.length));
}

/** Rounding of a handful of float64 operations. */
const CLOSE = { atol: 1e-12 };

Deno.test("computeGae() matches the values computed by hand", () => {
  // delta = 1 + .9*.4 - .5, 0 + .9*.3 - .4, 2 + .9*.2 - .3 = .86, -.13, 1.88
  // A_1 = -.13 + .72*1.88 = 1.2236, A_0 = .86 + .72*1.2236 = 1.740992
  assertAllClose(advantages(BASE), [1.740992, 1.2236, 1.88], CLOSE);
});

Deno.test("computeGae() cuts at a termination: nothing follows", () => {
  // A_1 = delta_1 = 0 - .4; A_0 = .86 + .72 * -.4
  assertAllClose(advantages({ ...BASE, terminated: [0, 1, 0] }), [0.572, -0.4, 1.88], CLOSE);
});

Deno.test("computeGae() bootstraps a truncation with the value of the episode's last state", () => {
  // A_1 = 0 + .9*.7 - .4 = .23; A_0 = .86 + .72*.23
  const input = { ...BASE, truncated: [0, 1, 0], truncationValues: [9, 0.7, 9] };
  assertAllClose(advantages(input), [1.0256, 0.23, 1.88], CLOSE);
});

Deno.test("computeGae() bootstraps from the last value unless the last step terminated", () => {
  assertAllClose(advantages({ ...BASE, terminated: [0, 0, 1] }).slice(2), [1.7], CLOSE);
  const truncated = { ...BASE, truncated: [0, 0, 1], truncationValues: [0, 0, 1] };
  assertAllClose(advantages(truncated).slice(2), [2.6], CLOSE);
});

Deno.test("computeGae() uses each step's own discount", () => {
  // A_2 = 1.88; A_1 = 0 + .5*.3 - .4 + .5*.8*1.88 = .502; A_0 = .86 + .72*.502
  const input = { ...BASE, discounts: [0.9, 0.5, 0.9] };
  assertAllClose(advantages(input), [1.22144, 0.502, 1.88], CLOSE);
});

Deno.test("computeGae() treats environments independently", () => {
  const reversed = [2, 0, 1];
  const both = advantages({
    ...BASE,
    rewards: [1, 2, 0, 0, 2, 1],
    values: [0.5, 0.3, 0.4, 0.4, 0.3, 0.5],
    terminated: [0, 0, 0, 1, 0, 0],
    truncated: new Uint8Array(6),
    truncationValues: new Float32Array(6),
    discounts: new Float64Array(6).fill(0.9),
    lastValues: [0.2, 0.6],
    environmentCount: 2,
  });
  const first = advantages(BASE);
  const second = advantages({
    ...BASE,
    rewards: reversed,
    values: [0.3, 0.4, 0.5],
    terminated: [0, 1, 0],
    lastValues: [0.6],
  });
  assertAllClose(both, [0, 1, 2].flatMap((t) => [first[t]!, second[t]!]), CLOSE);
});

Deno.test("computeGae() with lambda 1 is the discounted return minus the value", () => {
  const number = fc.double({ min: -5, max: 5, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 20 }),
      number,
      (steps, last) => {
        const [rewards, values] = [
          steps.map(([reward]) => reward),
          steps.map(([, value]) => value),
        ];
        const zeros = rewards.map(() => 0);
        const actual = advantages({
          ...BASE,
          rewards,
          values,
          terminated: zeros,
          truncated: zeros,
          truncationValues: zeros,
          discounts: rewards.map(() => 0.9),
          lastValues: [last],
          gaeLambda: 1,
        });
        let following = last;
        const expected = rewards.map(() => 0);
        for (let t = rewards.length - 1; t >= 0; t--) {
          following = rewards[t]! + 0.9 * following;
          expected[t] = following - values[t]!;
        }
        assertAllClose(actual, expected, { atol: 1e-10 });
      },
    ),
    { seed: 1, numRuns: 50 },
  );
});

Deno.test("computeGae() refuses lengths that do not fit", () => {
  assert.throws(() => advantages({ ...BASE, values: [1, 2] }), {
    name: "RangeError",
    message: "Cannot compute advantages: values must have 3 entries, current value is 2",
  });
  assert.throws(() => advantages({ ...BASE, environmentCount: 2 }), {
    message: /environmentCount must divide 3 and equal lastValues.length, current value is 2/,
  });
});
