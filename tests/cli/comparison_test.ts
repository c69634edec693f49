import assert from "node:assert/strict";
import { runComparison } from "../../lib/cli/_comparison.ts";
import { writeComparison } from "../../lib/cli/_comparison_report.ts";
import { baselinesTable, policiesTable } from "../../lib/cli/_comparison_table.ts";
import { findPolicies } from "../../lib/cli/_policies.ts";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { columnNumbers, columnStrings, readParquet, rowsOf } from "../../lib/metrics/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { openScenario, trainPolicy, useSimdBackend } from "../../lib/training/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";

await useSimdBackend();

const config = parseExperimentConfig({
  cluster: { replicas: [{ gpu: "h100" }, { gpu: "a40" }] },
  workload: {
    kind: "fitted",
    ratePerSecond: 6,
    classes: [{ name: "all", share: 1, ttftSloSeconds: 1 }],
  },
  state: { layout: "signalbox" },
  policy: { kind: "replica_scorer", hiddenSize: 8 },
  ppo: { rolloutLength: 16, minibatchSize: 16, epochs: 1 },
  training: { environments: 2, decisions: 32, episodeRequests: 60 },
  evaluation: { seeds: [101, 102], requests: 80 },
});
const scenario = await openScenario(config);

/** Two training seeds of one policy in `seed-1` and `seed-2`. */
async function withSeeds(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const seed of [1, 2]) {
      const own = await openScenario({ ...config, seed });
      const trained = await trainPolicy(own, {
        rng: new Rng(seed),
        checkpoints: { folder: `${folder}/seed-${seed}`, everyUpdates: 1, keepLast: 1 },
      });
      trained.policy.dispose();
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const settings = {
  reference: "least_outstanding",
  split: "validation",
  promise: (workload: Workload) => workload,
  signal: new AbortController().signal,
} as const;

Deno.test("findPolicies() takes several training seeds for one policy, by pattern or one by one", () =>
  withSeeds(async (folder) => {
    const byPattern = await findPolicies(
      scenario,
      `least_outstanding,ppo=${folder}/seed-*`,
      ["greedy", "sampled"],
    );
    assert.deepEqual(
      byPattern.entries.map(({ label, trainingSeed }) => [label, trainingSeed]),
      [
        ["least_outstanding", null],
        ["ppo", 1],
        ["ppo", 2],
        ["ppo (sampled)", 1],
        ["ppo (sampled)", 2],
      ],
    );
    assert.deepEqual(byPattern.groups.map(({ actingLabels }) => actingLabels), [
      ["ppo", "ppo (sampled)"],
    ]);
    const name = `ppo:${folder}/seed-2+ppo:${folder}/seed-1`;
    const oneByOne = await findPolicies(scenario, name, ["greedy"]);
    assert.deepEqual(
      oneByOne.entries.map(({ label, trainingSeed }) => [label, trainingSeed]),
      [[name, 2], [name, 1]],
    );
    const cases: [string, RegExp][] = [
      [`ppo=${folder}/seed-1+${folder}/seed-1`, /distinct training seeds, current seed 1 is there/],
      [`a=${folder}/seed-1,a=${folder}/seed-2`, /labels of --policies must be distinct/],
      [`random=${folder}/seed-1,random`, /labels of --policies must be distinct/],
      [`ppo=${folder}/nobody-*`, /must match a file or folder, current number is 0/],
      ["=x", /it must be ppo:PATH or LABEL=PATH\+PATH/],
    ];
    for (const [list, message] of cases) {
      await assert.rejects(findPolicies(scenario, list, ["greedy"]), {
        name: "UsageError",
        message,
      });
    }
  }));

Deno.test("a comparison gives all policies the same arrivals and each baseline an interval", () =>
  withSeeds(async (folder) => {
    const names = "least_outstanding,lor_tbt,speed_weighted_lor,clairvoyant_least_work";
    const found = await findPolicies(scenario, `${names},ppo=${folder}/seed-*`, ["greedy"]);
    const comparison = await runComparison(scenario, found, settings);
    const { requests, againstBaselines, comparisons } = comparison;

    const policies = columnStrings(requests, "policy");
    const training = columnNumbers(requests, "training_seed");
    const arrivals = columnNumbers(requests, "arrival_seconds");
    const runs = Map.groupBy(policies.keys(), (i) => `${policies[i]} ${training[i]}`);
    assert.deepEqual([...runs.keys()].slice(-2), ["ppo 1", "ppo 2"]);
    const [first, ...others] = [...runs.values()].map((rows) => rows.map((i) => arrivals[i]));
    assert.equal(first!.length, 160);
    for (const other of others) assert.deepEqual(other, first);

    assert.deepEqual([...againstBaselines.keys()], names.split(","));
    for (const [baseline, entries] of againstBaselines) {
      const [ppo] = entries;
      assert.deepEqual([entries.length, ppo!.policy, ppo!.runCount], [1, "ppo", 4]);
      const own = comparisons.find(({ policy }) => policy === baseline)!;
      // The pair's baseline is the baseline's own mean.
      const { baseline: seconds, difference } = ppo!.e2eMean;
      assert.ok(Math.abs(seconds.estimate - own.e2eMean.candidate.estimate) < 1e-9);
      assert.ok(difference.low <= difference.estimate && difference.estimate <= difference.high);
    }
    for (
      const { sloFraction, goodputPerSecond, requestsPerSecond, latencyFairness } of comparisons
    ) {
      assert.ok(sloFraction! >= 0 && sloFraction! <= 1);
      assert.ok(goodputPerSecond! <= requestsPerSecond);
      assert.ok(latencyFairness >= 0.5 && latencyFairness <= 1);
    }
    const labels = policiesTable(comparison).rows.map(([label]) => label);
    assert.deepEqual(labels.slice(2), [
      "speed_weighted_lor (told speeds)",
      "clairvoyant_least_work (clairvoyant)",
      "ppo",
    ]);
    assert.equal(baselinesTable(comparison).rows.length, 4);
  }));

Deno.test("writeComparison() writes tables, charts and a page, the same bytes every time", () =>
  withSeeds(async (folder) => {
    const heading = { title: "Two", subtitle: "Two replicas.", split: "validation" } as const;
    const write = async (out: string): Promise<void> => {
      const found = await findPolicies(
        scenario,
        `least_outstanding,ppo=${folder}/seed-*`,
        ["greedy", "sampled"],
      );
      await writeComparison(
        out,
        scenario,
        await runComparison(scenario, found, settings),
        heading,
      );
    };
    await write(`${folder}/a`);
    await write(`${folder}/b`);
    const names = ["requests.parquet", "comparisons.parquet", "report.html"];
    for (const name of names) {
      const [a, b] = await Promise.all(
        ["a", "b"].map((out) => Deno.readFile(`${folder}/${out}/${name}`)),
      );
      assert.deepEqual(a, b, name);
    }
    const charts = [...Deno.readDirSync(`${folder}/a/plots`)].map(({ name }) => name)
      .filter((name) => name.endsWith(".png")).sort();
    assert.deepEqual(charts, [
      "action_shares.png",
      "baseline_differences.png",
      "dependence.png",
      "e2e_bars.png",
      "e2e_ecdf.png",
      "routing_shares.png",
      "ttft_ecdf.png",
    ]);
    const rows = [...rowsOf(await readParquet(`${folder}/a/comparisons.parquet`))];
    assert.deepEqual(
      rows.map((row) => `${row.policy} ${row.statistic}`),
      ["ppo", "ppo (sampled)"].flatMap((policy) =>
        ["e2e_mean", "e2e_p99", "ttft_mean"].map((statistic) => `${policy} ${statistic}`)
      ),
    );
    for (const row of rows) {
      const { policy_seconds: own, baseline_seconds: theirs, relative } = row;
      assert.ok(Math.abs(Number(own) / Number(theirs) - 1 - Number(relative)) < 1e-12);
      assert.equal(row.baseline, "least_outstanding");
    }
    const page = await Deno.readTextFile(`${folder}/a/report.html`);
    assert.match(page, /Validation arrivals: nobody trained on them, but settings/);
  }));
