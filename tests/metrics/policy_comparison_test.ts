import {
  comparePolicies,
  compareWithEach,
  type RowOf,
  tableFromRows,
  type TableSchema,
} from "@signalbox/signalbox/metrics";
import { Rng } from "@signalbox/signalbox/random";
import assert from "node:assert/strict";

const schema = {
  policy: "dictionary",
  training_seed: "int64?",
  evaluation_seed: "int64",
  arrival_seconds: "float64",
  replica: "int32?",
  ttft_seconds: "float64?",
  e2e_seconds: "float64?",
} as const satisfies TableSchema;

type Row = RowOf<typeof schema>;

/** A run of one request a second; `null` marks a request that did not complete. */
function runOf(
  policy: string,
  trainingSeed: number | null,
  evaluationSeed: number,
  latencies: readonly (number | null)[],
): Row[] {
  return latencies.map((seconds, i) => ({
    policy,
    training_seed: trainingSeed,
    evaluation_seed: evaluationSeed,
    arrival_seconds: i,
    replica: seconds === null ? null : i % 2,
    ttft_seconds: seconds === null ? null : seconds / 4,
    e2e_seconds: seconds,
  }));
}

Deno.test("comparePolicies() pairs every run with the reference's on the same arrivals", () => {
  const table = tableFromRows(schema, [
    ...runOf("lor", null, 1, [4, 8, 6, 2]),
    ...runOf("lor", null, 2, [10, 20, 10, 20]),
    ...runOf("ppo", 7, 2, [5, 10, 5, 10]),
    ...runOf("ppo", 7, 1, [2, 4, 3, 1]),
    ...runOf("ppo", 8, 1, [2, 4, 3, 1]),
    ...runOf("ppo", 8, 2, [5, 10, 5, 10]),
  ]);
  const [lor, ppo] = comparePolicies(table, "lor", new Rng(1));
  assert.deepEqual([lor?.policy, ppo?.policy], ["lor", "ppo"]);
  assert.deepEqual(lor?.e2eMean.difference, { estimate: 0, low: 0, high: 0 });
  assert.equal(lor?.e2eMean.candidate.estimate, 10);
  assert.equal(ppo?.runCount, 4);
  assert.equal(ppo?.e2eMean.baseline.estimate, 10);
  assert.deepEqual(ppo?.e2eMean.relative, { estimate: -0.5, low: -0.5, high: -0.5 });
  assert.deepEqual(ppo?.e2eP99.relative, { estimate: -0.5, low: -0.5, high: -0.5 });
  assert.equal(ppo?.e2eP50Seconds, 4.5); // of 2 4 3 1 5 10 5 10, twice
  assert.equal(ppo?.ttftMean.candidate.estimate, 1.25);
  assert.deepEqual(ppo?.ttftMean.relative, { estimate: -0.5, low: -0.5, high: -0.5 });
  // 4 requests: the last completes at 5 s (seed 1: 1 + 4, 2 + 3) and at 13 s (seed 2: 3 + 10)
  assert.equal(ppo?.requestsPerSecond, (4 / 5 + 4 / 13) / 2);
  assert.deepEqual(ppo?.replicaShares, [0.5, 0.5]);
});

Deno.test("comparePolicies() leaves out what one of the runs left unfinished", () => {
  const table = tableFromRows(schema, [
    ...runOf("lor", null, 1, [4, null, 6, 2]),
    ...runOf("ppo", 7, 1, [3, 9, 5, 1]),
    ...runOf("ppo", 8, 1, [3, 9, null, 1]),
  ]);
  const [, ppo] = comparePolicies(table, "lor", new Rng(1));
  assert.equal(ppo?.e2eMean.baseline.estimate, 3); // requests 0 and 3: 4 and 2
  assert.equal(ppo?.e2eMean.candidate.estimate, 2);
});

Deno.test("comparePolicies() gives the same intervals whatever other policies there are", () => {
  const noisy = Array.from({ length: 200 }, (_, i) => 5 + Math.sin(i) + (i % 7));
  const lor = runOf("lor", null, 1, noisy);
  const ppo = runOf("ppo", 7, 1, noisy.map((seconds, i) => seconds * (0.8 + (i % 3) / 10)));
  const other = runOf("random", null, 1, noisy.map((seconds) => seconds + 1));
  const alone = comparePolicies(tableFromRows(schema, [...lor, ...ppo]), "lor", new Rng(3));
  const among = comparePolicies(
    tableFromRows(schema, [...lor, ...other, ...ppo]),
    "lor",
    new Rng(3),
  );
  assert.deepEqual(among[2], alone[1]);
});

Deno.test("compareWithEach() finds what comparePolicies() finds with one reference after another", () => {
  const noisy = Array.from({ length: 100 }, (_, i) => 5 + Math.sin(i) + (i % 7));
  const table = tableFromRows(schema, [
    ...runOf("lor", null, 1, noisy),
    ...runOf("random", null, 1, noisy.map((seconds, i) => i === 3 ? null : seconds + (i % 2))),
    ...[7, 8].flatMap((seed) => runOf("ppo", seed, 1, noisy.map((seconds) => seconds / seed))),
  ]);
  const rng = new Rng(5);
  const options = { policies: ["ppo"], resampleCount: 100 };
  const found = compareWithEach(table, ["random", "lor"], rng, options);
  assert.deepEqual([...found.keys()], ["random", "lor"]);
  for (const [reference, comparisons] of found) {
    assert.deepEqual(
      comparisons,
      comparePolicies(table, reference, rng.stream(reference), options),
    );
  }
});

Deno.test("comparePolicies() refuses a reference that did not run on the same arrivals", () => {
  const table = tableFromRows(schema, [
    ...runOf("lor", null, 1, [4, 8]),
    ...runOf("ppo", 7, 2, [4, 8]),
  ]);
  assert.throws(() => comparePolicies(table, "lor", new Rng(1)), {
    name: "RangeError",
    message:
      "Cannot compare policies: lor must have run on the 2 requests of evaluation seed 2, as ppo has, current count is 0",
  });
  assert.throws(() => comparePolicies(table, "lor_tbt", new Rng(1)), {
    name: "RangeError",
    message: "Cannot compare policies: reference must be one of lor, ppo, current value is lor_tbt",
  });
});

Deno.test("comparePolicies() measures fairness, targets met and goodput by hand-made numbers", () => {
  const withTargets = { ...schema, meets_slo: "bool?" } as const satisfies TableSchema;
  const rows = runOf("lor", null, 1, [2, 6, 2, 6]).map((row, i) => ({
    ...row,
    meets_slo: i !== 1,
  }));
  const [lor] = comparePolicies(tableFromRows(withTargets, rows), "lor", new Rng(1));
  // Replica 0 serves requests of 2 s, replica 1 of 6 s: (2 + 6)^2 / (2 x (4 + 36)).
  assert.equal(lor?.latencyFairness, 0.8);
  assert.equal(lor?.sloFraction, 0.75);
  assert.equal(lor?.goodputPerSecond, 3 / 9); // the last completes at 3 + 6
  const [none] = comparePolicies(
    tableFromRows(schema, runOf("lor", null, 1, [2, 6])),
    "lor",
    new Rng(1),
  );
  assert.deepEqual([none?.sloFraction, none?.goodputPerSecond], [null, null]);
});

Deno.test("comparePolicies() compares the policies that are named, with the same intervals", () => {
  const noisy = Array.from({ length: 200 }, (_, i) => 5 + Math.sin(i) + (i % 7));
  const table = tableFromRows(schema, [
    ...runOf("lor", null, 1, noisy),
    ...runOf("ppo", 7, 1, noisy.map((seconds, i) => seconds * (0.8 + (i % 3) / 10))),
  ]);
  const [, ppo] = comparePolicies(table, "lor", new Rng(3));
  assert.deepEqual(comparePolicies(table, "lor", new Rng(3), { policies: ["ppo"] }), [ppo]);
  assert.throws(() => comparePolicies(table, "lor", new Rng(3), { policies: ["dqn"] }), {
    name: "RangeError",
    message: "Cannot compare policies: policies must be among lor, ppo, current value is dqn",
  });
});

Deno.test("comparePolicies() covers a known difference about as often as it says", () => {
  // Latencies that drift over 20 requests; the candidate takes 10 % less but for noise of its own.
  let covered = 0;
  const trials = 60;
  for (let trial = 0; trial < trials; trial++) {
    const rng = new Rng(trial).stream("coverage");
    let drift = 0;
    const pairs = Array.from({ length: 400 }, () => {
      drift = 0.95 * drift + 0.3 * rng.normal();
      const own = 5 + drift;
      return [own, 0.9 * own + 0.5 * rng.normal()] as const;
    });
    const table = tableFromRows(schema, [
      ...runOf("lor", null, 1, pairs.map(([baseline]) => baseline)),
      ...runOf("ppo", 7, 1, pairs.map(([, candidate]) => candidate)),
    ]);
    const [, ppo] = comparePolicies(table, "lor", rng, { resampleCount: 200 });
    const { low, high } = ppo!.ttftMean.relative;
    if (low <= -0.1 && -0.1 <= high) covered++;
  }
  assert.ok(covered >= 51 && covered < 60, `${covered} of ${trials}`);
});
