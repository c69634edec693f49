import fc from "fast-check";
import assert from "node:assert/strict";
import { JobSeconds } from "../../lib/reward/mod.ts";
import { assertAllClose } from "../_helpers.ts";

Deno.test("JobSeconds discounts each interval from its own beginning", () => {
  const jobs = new JobSeconds(2);
  jobs.reset([10, 10]);
  jobs.take(10);
  jobs.onCompleted(0, 0, 11);
  // 2 * integral of e^(-s/2) over [0, 1] + the same over [1, 3] = 2 * 2 (1 - e^-.5) + 2 (e^-.5 - e^-1.5)
  const expected = 4 * (1 - Math.exp(-0.5)) + 2 * (Math.exp(-0.5) - Math.exp(-1.5));
  assertAllClose([jobs.take(13)], [expected], { rtol: 1e-14 });
  assertAllClose([jobs.take(14)], [2 * (1 - Math.exp(-0.5))], { rtol: 1e-14 });
});

Deno.test("JobSeconds of a run that ends empty sum to the total sojourn time, however it is cut", () => {
  const requests = fc.array(
    fc.record({ arrival: fc.nat(100), sojourn: fc.integer({ min: 1, max: 50 }) }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(fc.property(requests, fc.array(fc.nat(150), { maxLength: 10 }), (list, cuts) => {
    const events = [
      ...list.map(({ arrival, sojourn }) => ({ at: arrival + sojourn, isCut: false })),
      ...cuts.map((at) => ({ at, isCut: true })),
    ].sort((a, b) => a.at - b.at);
    const jobs = new JobSeconds();
    jobs.reset(list.map(({ arrival }) => arrival).sort((a, b) => a - b));
    let total = 0;
    for (const { at, isCut } of events) {
      if (isCut) total += jobs.take(at);
      else jobs.onCompleted(0, 0, at);
    }
    total += jobs.take(1000);
    // Whole numbers: exact.
    assert.equal(total, list.reduce((sum, { sojourn }) => sum + sojourn, 0));
  }));
});

Deno.test("JobSeconds with discount add up over intervals as discounted returns do", () => {
  const tau = 3;
  const run = (cuts: readonly number[]): number => {
    const jobs = new JobSeconds(tau);
    jobs.reset([0]);
    let total = 0;
    let start = 0;
    for (const cut of cuts) {
      total += Math.exp(-start / tau) * jobs.take(cut);
      start = cut;
    }
    return total;
  };
  assertAllClose([run([1, 2.5, 7])], [run([7])], { rtol: 1e-13 });
});

Deno.test("JobSeconds.reset() empties the system; a bad time constant is refused", () => {
  const jobs = new JobSeconds();
  jobs.reset([3]);
  assert.equal(jobs.take(4), 1);
  jobs.reset([]);
  assert.equal(jobs.take(10), 0);
  assert.throws(() => new JobSeconds(0), {
    name: "RangeError",
    message: "Cannot integrate jobs: tauSeconds must be > 0, current value is 0",
  });
});
