import assert from "node:assert/strict";
import {
  type Candidate,
  candidateSchema,
  capacityChart,
  type CapacityRow,
  cheapest,
  compareCapacity,
  dollarsPerHour,
  measureCapacity,
  sloSchema,
} from "../../lib/capacity/mod.ts";
import { renderSvg } from "../../lib/plot/mod.ts";
import { clusterSchema } from "../../lib/simulator/mod.ts";
import { ConfigError, UsageError } from "../../lib/support/mod.ts";
import { workloadSchema } from "../../lib/workload/mod.ts";

const slo = sloSchema.parse({ metric: "ttft", limitSeconds: 2 });
const shared = {
  workload: workloadSchema.parse({ kind: "fitted" }),
  router: "least_outstanding",
  slo,
  requests: 200,
  seed: 1,
};

function candidate(name: string, gpu: string, extra: object = {}): Candidate {
  return candidateSchema.parse({ name, cluster: { replicas: [{ gpu }] }, ...extra });
}

Deno.test("measureCapacity() gives a rate that is kept, next to one that is not", async () => {
  const cluster = clusterSchema.parse({ replicas: [{ gpu: "a100" }] });
  const { ratePerSecond, converged } = await measureCapacity({ ...shared, cluster });
  assert.ok(converged);
  for (const [factor, kept] of [[1, ratePerSecond], [1.5, 0]] as const) {
    const check = await measureCapacity({
      ...shared,
      cluster,
      ratePerSecond: ratePerSecond * factor,
    });
    assert.equal(check.ratePerSecond, kept);
    assert.equal(check.probes.length, 1);
  }
});

Deno.test("measureCapacity() finds the rate at which enough requests meet their own targets", async () => {
  const cluster = clusterSchema.parse({ replicas: [{ gpu: "a100" }] });
  const classes = [
    { name: "chat", share: 3, ttftSloSeconds: 0.5, tpotSloSeconds: 0.05 },
    { name: "batch", share: 1 },
  ];
  const search = (minFraction: number) =>
    measureCapacity({
      ...shared,
      workload: workloadSchema.parse({ kind: "fitted", classes }),
      slo: sloSchema.parse({ metric: "slo_attainment", minFraction }),
      cluster,
    });
  const [strict, lax] = [await search(0.95), await search(0.6)];
  assert.ok(strict.converged && lax.converged);
  assert.ok(strict.ratePerSecond > 0 && lax.ratePerSecond > strict.ratePerSecond);
  for (const { value, meetsSlo } of strict.probes) {
    assert.ok(value >= 0 && value <= 1);
    assert.equal(meetsSlo, value >= 0.95);
  }
  const rows = [{ name: "one", dollarsPerHour: 1, requestsPerDollar: 1, search: strict }];
  const slo = sloSchema.parse({ metric: "slo_attainment", minFraction: 0.95 });
  assert.match(await renderSvg(capacityChart(rows, slo)), /Share of requests that meet/);
});

Deno.test("compareCapacity() measures in workers what measureCapacity() measures here", async () => {
  const candidates = [candidate("slow", "a40"), candidate("fast", "h100")];
  const rows = await compareCapacity(candidates, { ...shared, jobs: 2 });
  assert.deepEqual(rows.map((row) => row.name), ["slow", "fast"]);
  for (const [i, { cluster }] of candidates.entries()) {
    assert.deepEqual(rows[i]!.search, await measureCapacity({ ...shared, cluster }));
  }
  assert.ok(rows[1]!.search.ratePerSecond > rows[0]!.search.ratePerSecond);
  const { search, requestsPerDollar } = rows[1]!;
  assert.equal(requestsPerDollar, search.ratePerSecond * 3600 / 4.25);
  assert.match(await renderSvg(capacityChart(rows, slo)), /Requests per second/);
});

Deno.test("compareCapacity() refuses bad clusters and routers before it starts", async () => {
  const good = candidate("good", "a100");
  const refused: [Candidate[], object, RegExp][] = [
    [[candidate("x", "b300", { dollarsPerHour: 1 })], {}, /gpu must be one of/],
    [[candidate("x", "rtx4090")], {}, /x\.dollarsPerHour must be given for rtx4090/],
    [[good], { router: "nope" }, /router must be one of/],
  ];
  for (const [candidates, extra, message] of refused) {
    await assert.rejects(
      compareCapacity(candidates, { ...shared, jobs: 1, ...extra }),
      (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

Deno.test("compareCapacity() names the cluster that the requests do not fit", async () => {
  const small = candidateSchema.parse({
    name: "small",
    cluster: { replicas: [{ gpu: "a100", kvBlocks: 20 }] },
  });
  await assert.rejects(compareCapacity([small], { ...shared, jobs: 1 }), (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, /Cannot measure small: .*request \d+ must have at most/);
    return true;
  });
});

Deno.test("dollarsPerHour() adds up the GPUs unless the price is given", () => {
  const cluster = {
    replicas: [{ gpu: "h100", tensorParallel: 2 }, { gpu: "a40", count: 3 }],
  };
  const parsed = candidateSchema.parse({ name: "mixed", cluster });
  assert.equal(dollarsPerHour(parsed), 2 * 4.25 + 3 * 1.28);
  assert.equal(dollarsPerHour({ ...parsed, dollarsPerHour: 7 }), 7);
});

Deno.test("cheapest() ignores clusters that keep the objective at no rate", () => {
  const row = (name: string, price: number, ratePerSecond: number): CapacityRow => ({
    name,
    dollarsPerHour: price,
    requestsPerDollar: 0,
    search: { ratePerSecond, probes: [], converged: true },
  });
  assert.equal(cheapest([row("a", 1, 0), row("b", 5, 3), row("c", 4, 3)])?.name, "c");
  assert.equal(cheapest([row("a", 1, 0)]), undefined);
});
