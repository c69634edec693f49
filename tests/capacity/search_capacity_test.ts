import * as fc from "fast-check";
import assert from "node:assert/strict";
import { searchCapacity } from "../../lib/capacity/mod.ts";

Deno.test("searchCapacity() finds any threshold to within its granularity, from any start", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 1000, noNaN: true }),
      fc.double({ min: 0.1, max: 100, noNaN: true }),
      (threshold, startRatePerSecond) => {
        const measure = (rate: number): number => rate <= threshold ? 1 : 3;
        const { ratePerSecond, probes, converged } = searchCapacity(measure, {
          meetsSlo: (value) => value <= 2,
          startRatePerSecond,
        });
        assert.ok(converged);
        assert.ok(ratePerSecond <= threshold);
        assert.ok(ratePerSecond >= threshold / 1.025);
        for (const probe of probes) {
          assert.equal(probe.meetsSlo, probe.ratePerSecond <= threshold);
          assert.equal(probe.value, measure(probe.ratePerSecond));
        }
      },
    ),
    { numRuns: 500, seed: 3 },
  );
});

Deno.test("searchCapacity() doubles, then bisects, and never probes a rate twice", () => {
  const { probes } = searchCapacity((rate) => rate, {
    meetsSlo: (value) => value <= 5,
    granularity: 0.3,
  });
  assert.deepEqual(probes.map((probe) => probe.ratePerSecond), [1, 2, 4, 8, 6, 5]);
});

Deno.test("searchCapacity() says so when nothing meets the objective or the probes run out", () => {
  const hopeless = searchCapacity(() => Infinity, {
    meetsSlo: (value) => value <= 1,
    maxProbes: 7,
  });
  assert.equal(hopeless.ratePerSecond, 0);
  assert.equal(hopeless.converged, false);
  assert.equal(hopeless.probes.length, 7);
  const endless = searchCapacity(() => 0, { meetsSlo: (value) => value <= 1, maxProbes: 4 });
  assert.equal(endless.ratePerSecond, 8);
  assert.equal(endless.converged, false);
});

Deno.test("searchCapacity() refuses options out of range", () => {
  for (const options of [{ startRatePerSecond: 0 }, { granularity: -1 }, { maxProbes: NaN }]) {
    assert.throws(
      () => searchCapacity(() => 0, { meetsSlo: (value) => value <= 1, ...options }),
      (error) => {
        assert.ok(error instanceof RangeError);
        assert.match(
          error.message,
          new RegExp(`${Object.keys(options)[0]} must be finite and > 0`),
        );
        return true;
      },
    );
  }
});
