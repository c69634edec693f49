import assert from "node:assert/strict";
import { Rng } from "../../lib/random/mod.ts";
import { parseConfig } from "../../lib/support/mod.ts";
import {
  arrivalSchema,
  countDispersion,
  createArrivalProcess,
  fitGapTable,
  type GapTable,
  summarizeWorkload,
} from "../../lib/workload/mod.ts";

const COUNT = 40_000;

function arrivalsOf(gaps: GapTable, ratePerSecond: number): Float64Array {
  const next = createArrivalProcess({ kind: "tabulated", ratePerSecond, gaps }, new Rng(3));
  return Float64Array.from({ length: COUNT }, next);
}

function summaryOf(arrivalSeconds: Float64Array): ReturnType<typeof summarizeWorkload> {
  const tokens = new Int32Array(arrivalSeconds.length).fill(1);
  return summarizeWorkload({
    name: "arrivals",
    count: arrivalSeconds.length,
    arrivalSeconds,
    promptTokens: tokens,
    outputTokens: tokens,
  });
}

/** Exponential gaps: the quantiles of a Poisson process of rate 1. */
const exponential = Array.from({ length: 20_000 }, (_, i) => -Math.log1p(-(i + 0.5) / 20_000));

Deno.test("createArrivalProcess() with a table of exponential gaps is a Poisson process", () => {
  const table = fitGapTable(exponential, { steps: 80, likeness: 0, memoryGaps: 1 });
  const arrivals = arrivalsOf(table, 5);
  const { ratePerSecond, interArrivalCv } = summaryOf(arrivals);
  // Four standard errors: 1 / sqrt(40,000) of the rate and of a variation of 1.
  assert.ok(Math.abs(ratePerSecond / 5 - 1) < 0.02, `${ratePerSecond}`);
  assert.ok(Math.abs(interArrivalCv - 1) < 0.02, `${interArrivalCv}`);
  // 800 windows: the dispersion has a standard error of sqrt(2 / 800) = 0.05.
  const { dispersion } = countDispersion(arrivals, 10);
  assert.ok(Math.abs(dispersion - 1) < 0.2, `${dispersion}`);
});

Deno.test("createArrivalProcess() with alike gaps keeps their distribution but not the dispersion", () => {
  const options = { steps: 80, memoryGaps: 50 };
  const apart = arrivalsOf(fitGapTable(exponential, { ...options, likeness: 0 }), 5);
  const alike = arrivalsOf(fitGapTable(exponential, { ...options, likeness: 0.3 }), 5);
  const variation = summaryOf(alike).interArrivalCv / summaryOf(apart).interArrivalCv;
  assert.ok(Math.abs(variation - 1) < 0.05, `${variation}`);
  const ratio = countDispersion(alike, 10).dispersion / countDispersion(apart, 10).dispersion;
  assert.ok(ratio > 5, `${ratio}`);
});

Deno.test("fitGapTable() gives gaps over their mean and holds equal time stamps apart", () => {
  const { logGaps } = fitGapTable([0, 2, 4], { steps: 2, likeness: 0, memoryGaps: 1 });
  // ln(1e-6 / 2), ln 1, ln 2.
  [-14.509, 0, 0.693].forEach((expected, i) => assert.ok(Math.abs(logGaps[i]! - expected) < 1e-9));
});

Deno.test("arrivalSchema refuses tables of gaps that cannot be", () => {
  const refuse = (gaps: unknown, field: string): void => {
    const config = { kind: "tabulated", ratePerSecond: 1, gaps };
    assert.throws(() => parseConfig(arrivalSchema, config, "arrivals"), {
      name: "ConfigError",
      field,
    });
  };
  const good = { logGaps: [-1, 0, 1], likeness: 0.1, memoryGaps: 10 };
  refuse({ ...good, logGaps: [1, 0] }, "arrivals.gaps.logGaps");
  refuse({ ...good, likeness: 1 }, "arrivals.gaps.likeness");
  refuse({ ...good, memoryGaps: 0 }, "arrivals.gaps.memoryGaps");
});
