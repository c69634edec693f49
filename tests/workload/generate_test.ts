import assert from "node:assert/strict";
import fc from "fast-check";
import { Rng } from "../../lib/random/mod.ts";
import { parseConfig } from "../../lib/support/mod.ts";
import {
  type ArrivalConfig,
  createArrivalProcess,
  createLengthSampler,
  generateWorkload,
  getFittedWorkload,
  type LengthConfig,
  lengthTableSchema,
  summarizeWorkload,
  type SyntheticWorkloadConfig,
  type Workload,
  workloadSchema,
} from "../../lib/workload/mod.ts";
import azure from "../../data/workloads/azure_conversation_2023.json" with { type: "json" };

function synthetic(arrivals: ArrivalConfig, lengths?: LengthConfig): SyntheticWorkloadConfig {
  return {
    kind: "synthetic",
    arrivals,
    lengths: lengths ?? { kind: "fixed", promptTokens: 10, outputTokens: 3 },
    overLength: "refuse",
  };
}

function arrivalsOf(config: ArrivalConfig, count: number): Workload {
  return generateWorkload(synthetic(config), new Rng(5), { count });
}

/** Relative difference below a bound. */
function assertWithin(actual: number, expected: number, relative: number, what: string): void {
  assert.ok(Math.abs(actual / expected - 1) < relative, `${what}: ${actual} against ${expected}`);
}

// Four standard errors of the statistic over 40,000 gaps: cv / sqrt n of a mean, and at most twice
// that of a coefficient of variation here.
const COUNT = 40_000;

Deno.test("createArrivalProcess() keeps rate and variation of every kind", () => {
  const poisson = summarizeWorkload(
    arrivalsOf({ kind: "poisson", ratePerSecond: 4, vidurClip: false }, COUNT),
  );
  assertWithin(poisson.ratePerSecond, 4, 0.02, "poisson rate");
  assertWithin(poisson.interArrivalCv, 1, 0.03, "poisson cv");
  for (const cv of [0.5, 2]) {
    const gamma = summarizeWorkload(arrivalsOf({ kind: "gamma", ratePerSecond: 4, cv }, COUNT));
    assertWithin(gamma.ratePerSecond, 4, 0.02 * cv, "gamma rate");
    assertWithin(gamma.interArrivalCv, cv, 0.05, "gamma cv");
  }
});

Deno.test("createArrivalProcess() clips gaps as Vidur only where asked to", () => {
  const config = { kind: "poisson", ratePerSecond: 2 } as const;
  const gaps = (vidurClip: boolean): number[] => {
    const next = createArrivalProcess({ ...config, vidurClip }, new Rng(5));
    let before = 0;
    return Array.from({ length: COUNT }, () => {
      const now = next();
      const gap = now - before;
      before = now;
      return gap;
    });
  };
  const longest = (values: readonly number[]): number =>
    values.reduce((most, value) => Math.max(most, value), 0);
  assertWithin(longest(gaps(true)), 1.5, 1e-6, "clipped gap");
  assert.ok(longest(gaps(false)) > 4);
  // spec/simulator.md section 7: the mean gap is (1 - e^-3) / rate.
  const mean = gaps(true).reduce((sum, gap) => sum + gap, 0) / COUNT;
  assertWithin(mean, (1 - Math.exp(-3)) / 2, 0.02, "clipped mean");
});

Deno.test("createArrivalProcess() spaces static arrivals equally, all at once by default", () => {
  const config = parseConfig(workloadSchema, {
    kind: "synthetic",
    arrivals: { kind: "static" },
    lengths: { kind: "fixed" },
  }) as SyntheticWorkloadConfig;
  const together = generateWorkload(config, new Rng(1), { count: 3 });
  assert.deepEqual([...together.arrivalSeconds], [0, 0, 0]);
  assert.deepEqual([...together.promptTokens], [2048, 2048, 2048]);
  assert.deepEqual([...together.outputTokens], [512, 512, 512]);
});

Deno.test("createArrivalProcess() modulates the rate but not its mean", () => {
  const flat = summarizeWorkload(
    arrivalsOf({ kind: "modulated", ratePerSecond: 5, cv: 1, modulations: [] }, COUNT),
  );
  assertWithin(flat.ratePerSecond, 5, 0.02, "unmodulated rate");
  assertWithin(flat.interArrivalCv, 1, 0.03, "unmodulated cv");
  const config: ArrivalConfig = {
    kind: "modulated",
    ratePerSecond: 5,
    cv: 1,
    modulations: [{ std: 0.5, seconds: 5 }],
  };
  const wandering = arrivalsOf(config, COUNT);
  // 8000 s hold 800 independent rates of relative deviation sqrt(e^0.25 - 1) = 0.53.
  assertWithin(summarizeWorkload(wandering).ratePerSecond, 5, 0.08, "modulated rate");
  // Variance of counts in 1-s windows, over mean^2, less 1 / mean: e^0.25 - 1 = 0.284.
  const counts = new Float64Array(7000);
  for (const seconds of wandering.arrivalSeconds) {
    if (seconds < counts.length) counts[Math.floor(seconds)]!++;
  }
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  assertWithin((variance - mean) / mean ** 2, Math.exp(0.25) - 1, 0.25, "modulation");
});

Deno.test("createLengthSampler() splits uniform totals at the ratio", () => {
  const next = createLengthSampler(
    { kind: "uniform", minTokens: 100, maxTokens: 200, promptToOutputRatio: 3 },
    new Rng(2),
  );
  let sum = 0;
  for (let i = 0; i < 5000; i++) {
    const [prompt, output] = next();
    const total = prompt + output;
    sum += total;
    assert.ok(total >= 99 && total <= 200);
    // output = ceil(T / 4), prompt = trunc(T - output).
    assert.ok(Math.abs(output - total / 4) <= 1.25, `${prompt}, ${output}`);
  }
  assertWithin(sum / 5000, 149.5, 0.015, "mean total");
});

Deno.test("createLengthSampler() draws zipf totals with the right frequencies", () => {
  const config = { kind: "zipf", minTokens: 2, maxTokens: 101, theta: 0.6 } as const;
  const next = createLengthSampler({ ...config, promptToOutputRatio: 1 }, new Rng(3));
  const draws = 40_000;
  let smallest = 0;
  for (let i = 0; i < draws; i++) {
    const [prompt, output] = next();
    assert.ok(prompt >= 1 && output >= 1 && prompt + output <= 101);
    if (prompt + output === 2) smallest++;
  }
  // The two smallest totals, 2 and 3, both split into 1 + 1: (1 + 0.5^0.6) / zeta, zeta summed to 99.
  let zeta = 0;
  for (let i = 1; i < 100; i++) zeta += i ** -0.6;
  assertWithin(smallest / draws, (1 + 0.5 ** 0.6) / zeta, 0.05, "share of the smallest");
});

Deno.test("createLengthSampler() draws outputs from the range of the prompt", () => {
  const table = {
    promptTokens: [1, 101],
    outputTokensByPrompt: [
      { maxPromptTokens: 51, outputTokens: [5, 5] },
      { maxPromptTokens: 80, outputTokens: [10, 20, 90] },
    ],
  };
  const next = createLengthSampler({ kind: "empirical", table }, new Rng(4));
  const outputs: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const [prompt, output] = next();
    assert.ok(prompt >= 1 && prompt <= 101);
    if (prompt <= 51) assert.equal(output, 5);
    else outputs.push(output);
  }
  assertWithin(outputs.length, 10_000, 0.04, "prompts above the middle");
  assertWithin(
    outputs.filter((output) => output < 20).length / outputs.length,
    0.475,
    0.06,
    "median",
  );
});

Deno.test("the embedded workload is a valid table with its source", () => {
  assert.deepEqual(lengthTableSchema.parse(azure.lengths), azure.lengths);
  assert.match(azure.source, /github.com\/Azure\/AzurePublicDataset/);
  assert.match(azure.licence, /CC-BY-4.0/);
});

Deno.test("the embedded workload reproduces the Azure conversation trace", () => {
  const config = workloadSchema.parse({ kind: "fitted" });
  assert.equal(config.kind, "fitted");
  if (config.kind !== "fitted") return;
  const traces = [1, 2, 3, 4, 5].map((seed) =>
    summarizeWorkload(generateWorkload(config, new Rng(seed), { count: 19366 }))
  );
  const average = (pick: (summary: typeof traces[number]) => number): number =>
    traces.reduce((sum, trace) => sum + pick(trace), 0) / traces.length;
  // spec/practice.md section 6. Means and medians of lengths: 2 %, from linear interpolation in the
  // tails. The rate drifts by 10 % from hour to hour, in the trace as here.
  assertWithin(average((t) => t.promptTokens.mean), 1155, 0.02, "prompt mean");
  assertWithin(average((t) => t.promptTokens.p50), 1020, 0.01, "prompt p50");
  assertWithin(average((t) => t.promptTokens.p95), 4083, 0.01, "prompt p95");
  assertWithin(average((t) => t.outputTokens.mean), 211, 0.02, "output mean");
  assertWithin(average((t) => t.outputTokens.p50), 129, 0.02, "output p50");
  assertWithin(average((t) => t.outputTokens.p95), 451, 0.02, "output p95");
  assertWithin(average((t) => t.ratePerSecond), 5.53, 0.1, "rate");
  assertWithin(average((t) => t.interArrivalCv), 1.09, 0.02, "inter-arrival cv");
});

Deno.test("the embedded workload's prompts predict its outputs", () => {
  const config = workloadSchema.parse({ kind: "fitted" });
  if (config.kind !== "fitted") throw new Error("expected a fitted workload");
  const { promptTokens, outputTokens } = generateWorkload(config, new Rng(1), { count: 20_000 });
  const meanOutput = (low: number, high: number): number => {
    let sum = 0;
    let count = 0;
    promptTokens.forEach((prompt, i) => {
      if (prompt < low || prompt >= high) return;
      sum += outputTokens[i]!;
      count++;
    });
    return sum / count;
  };
  // Means of the trace in the same ranges: 412.6 and 104.5.
  assertWithin(meanOutput(1020, 1120), 412.6, 0.05, "outputs of prompts around 1,070 tokens");
  assertWithin(meanOutput(394, 428), 104.5, 0.05, "outputs of prompts around 410 tokens");
});

Deno.test("generateWorkload() scales the embedded workload's time to a rate", () => {
  const base = { kind: "fitted", name: "azure_conversation_2023", overLength: "refuse" } as const;
  const rate = getFittedWorkload(base.name).arrivals.ratePerSecond;
  const own = generateWorkload(base, new Rng(1), { count: 100 });
  const twice = generateWorkload({ ...base, ratePerSecond: 2 * rate }, new Rng(1), { count: 100 });
  own.arrivalSeconds.forEach((seconds, i) => assert.equal(twice.arrivalSeconds[i], seconds / 2));
  assert.deepEqual(own.outputTokens, twice.outputTokens);
});

Deno.test("generateWorkload() keeps lengths when arrivals change, and the reverse", () => {
  const lengths = {
    kind: "uniform",
    minTokens: 10,
    maxTokens: 90,
    promptToOutputRatio: 2,
  } as const;
  const poisson = synthetic({ kind: "poisson", ratePerSecond: 1, vidurClip: false }, lengths);
  const gamma = synthetic({ kind: "gamma", ratePerSecond: 1, cv: 2 }, lengths);
  const a = generateWorkload(poisson, new Rng(9), { count: 50 });
  const b = generateWorkload(gamma, new Rng(9), { count: 50 });
  assert.deepEqual(a.promptTokens, b.promptTokens);
  assert.notDeepEqual(a.arrivalSeconds, b.arrivalSeconds);
  const fixed = synthetic({ kind: "poisson", ratePerSecond: 1, vidurClip: false });
  const c = generateWorkload(fixed, new Rng(9), { count: 50 });
  assert.deepEqual(a.arrivalSeconds, c.arrivalSeconds);
});

Deno.test("generateWorkload() stops at the duration and honours token limits", () => {
  const config = synthetic({ kind: "static", intervalSeconds: 1 });
  const timed = generateWorkload(config, new Rng(1), { durationSeconds: 4 });
  assert.deepEqual([...timed.arrivalSeconds], [1, 2, 3]);
  const fitted = { kind: "fitted", name: "azure_conversation_2023", maxTokens: 1000 } as const;
  const dropped = generateWorkload({ ...fitted, overLength: "drop" }, new Rng(1), { count: 500 });
  assert.equal(dropped.count, 500);
  assert.ok(dropped.promptTokens.every((prompt, i) => prompt + dropped.outputTokens[i]! <= 1000));
  assert.throws(
    () => generateWorkload({ ...fitted, overLength: "refuse" }, new Rng(1), { count: 500 }),
    { name: "RangeError", message: /prompt \+ output tokens must be <= 1000/ },
  );
  assert.throws(
    () =>
      generateWorkload({ ...config, maxTokens: 5, overLength: "drop" }, new Rng(1), { count: 1 }),
    { name: "RangeError", message: /maxTokens must be reachable/ },
  );
});

Deno.test("generateWorkload() refuses an extent that is not positive", () => {
  const config = synthetic({ kind: "static", intervalSeconds: 1 });
  for (const count of [0, 1.5, -2]) {
    assert.throws(() => generateWorkload(config, new Rng(1), { count }), {
      name: "RangeError",
      message: /count must be an integer in \[1, 100000000\]/,
    });
  }
  assert.throws(() => generateWorkload(config, new Rng(1), { durationSeconds: Infinity }), {
    message: /durationSeconds must be a finite number > 0, current value is Infinity/,
  });
});

Deno.test("generateWorkload() refuses a time that requests which come all at once never fill", () => {
  const config = synthetic({ kind: "static", intervalSeconds: 0 });
  assert.equal(generateWorkload(config, new Rng(1), { count: 3 }).count, 3);
  assert.throws(() => generateWorkload(config, new Rng(1), { durationSeconds: 1 }), {
    name: "RangeError",
    message: /durationSeconds must be a time of at most 100000000 arrivals, current value is 1$/,
  });
});

const arrivals = fc.oneof(
  fc.record({
    kind: fc.constant("poisson" as const),
    ratePerSecond: fc.double({ min: 0.1, max: 100, noNaN: true }),
    vidurClip: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("gamma" as const),
    ratePerSecond: fc.double({ min: 0.1, max: 100, noNaN: true }),
    cv: fc.double({ min: 0.05, max: 10, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant("modulated" as const),
    ratePerSecond: fc.double({ min: 0.5, max: 100, noNaN: true }),
    cv: fc.double({ min: 0.05, max: 3, noNaN: true }),
    modulations: fc.array(
      fc.record({
        std: fc.double({ min: 0, max: 1, noNaN: true }),
        seconds: fc.double({ min: 0.1, max: 1000, noNaN: true }),
      }),
      { maxLength: 2 },
    ),
  }),
);

Deno.test("generateWorkload() is valid and reproducible for any process and seed", () => {
  fc.assert(fc.property(arrivals, fc.integer(), (process, seed) => {
    const config = synthetic(process, {
      kind: "zipf",
      minTokens: 2,
      maxTokens: 500,
      promptToOutputRatio: 7,
      theta: 0.6,
    });
    const workload = generateWorkload(config, new Rng(seed), { count: 40 });
    assert.deepEqual(generateWorkload(config, new Rng(seed), { count: 40 }), workload);
    let before = 0;
    for (let i = 0; i < workload.count; i++) {
      const now = workload.arrivalSeconds[i]!;
      assert.ok(Number.isFinite(now) && now >= before);
      assert.ok(workload.promptTokens[i]! >= 1 && workload.outputTokens[i]! >= 1);
      before = now;
    }
  }));
});

Deno.test("workloadSchema refuses unknown keys, wrong types and values out of range", () => {
  const refuse = (input: unknown, field: string): void => {
    assert.throws(() => parseConfig(workloadSchema, input, "workload"), {
      name: "ConfigError",
      field,
    });
  };
  refuse({ kind: "fitted", rate: 3 }, "workload.rate");
  refuse({ kind: "fitted", ratePerSecond: -1 }, "workload.ratePerSecond");
  refuse({ kind: "fitted", name: "azure_code" }, "workload.name");
  refuse({ kind: "trace" }, "workload.path");
  refuse(
    { kind: "trace", path: "a.csv", trainFraction: 0.9, validationFraction: 0.2 },
    "workload.trainFraction",
  );
  refuse({ kind: "bursty" }, "workload.kind");
  const synthetic = { kind: "synthetic", lengths: { kind: "fixed" } };
  refuse({ ...synthetic, arrivals: { kind: "poisson" } }, "workload.arrivals.ratePerSecond");
  refuse(
    { ...synthetic, arrivals: { kind: "gamma", ratePerSecond: 1, cv: 0 } },
    "workload.arrivals.cv",
  );
  refuse(
    {
      ...synthetic,
      arrivals: {
        kind: "modulated",
        ratePerSecond: 1,
        cv: 1,
        modulations: [{ std: 40, seconds: 3 }],
      },
    },
    "workload.arrivals.modulations.0.std",
  );
  const arrivals = { kind: "static" };
  refuse(
    { kind: "synthetic", arrivals, lengths: { kind: "uniform", minTokens: 9, maxTokens: 8 } },
    "workload.lengths",
  );
  refuse(
    { kind: "synthetic", arrivals, lengths: { kind: "fixed", promptTokens: 1.5 } },
    "workload.lengths.promptTokens",
  );
});
