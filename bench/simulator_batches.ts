// deno-lint-ignore-file no-console
/**
 * Time and memory of a run whose batches go to disk: the recorded run `7b-tp1-pp1-sarathi`, repeated
 * to a million requests.
 *
 * Run with `deno run -A bench/simulator_batches.ts`, or with another number of requests after it.
 */
import { join } from "node:path";
import process from "node:process";
import { BatchesFile } from "../lib/metrics/mod.ts";
import { createLorQueueOnly } from "../lib/routing/mod.ts";
import { Simulator } from "../lib/simulator/mod.ts";
import { hasGolden, loadGolden } from "./_golden_workload.ts";

const BYTES_PER_MIB = 2 ** 20;
const KIB_PER_MIB = 1024;

if (!hasGolden) {
  console.error("The recorded run is not there: expected ../shared/golden/vidur.");
  Deno.exit(1);
}
const { workload, replicas } = (await loadGolden())(Number(Deno.args[0] ?? 1_000_000));
const router = createLorQueueOnly();
const folder = await Deno.makeTempDir();
try {
  const path = join(folder, "batches.parquet");
  using batches = new BatchesFile(path);
  const start = performance.now();
  const { batchCount } = new Simulator(workload, replicas, { observers: [batches] })
    .run((decision) => router.route(decision));
  const simulated = performance.now();
  await batches.close();
  console.log(`${workload.count} requests, ${batchCount} batches`);
  console.log(`simulating  ${((simulated - start) / 1000).toFixed(1)} s`);
  console.log(`compressing ${((performance.now() - simulated) / 1000).toFixed(1)} s`);
  console.log(`file        ${Math.round(Deno.statSync(path).size / BYTES_PER_MIB)} MiB`);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  console.log(`CPU         ${((userCPUTime + systemCPUTime) / 1e6).toFixed(1)} s`);
  console.log(`peak memory ${Math.round(maxRSS / KIB_PER_MIB)} MiB`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
