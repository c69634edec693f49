// deno-lint-ignore-file no-console
/**
 * `deno task capacity`: the highest request rate at which clusters keep an objective, or the
 * cheapest cluster that keeps it at a given rate.
 *
 * @module
 */
import Table from "cli-table3";
import { Command } from "commander";
import { join } from "node:path";
import {
  type Candidate,
  candidateSchema,
  capacityChart,
  type CapacityRow,
  cheapest,
  compareCapacity,
  type Slo,
  sloMetrics,
  sloSchema,
} from "../capacity/mod.ts";
import { writeChart } from "../plot/mod.ts";
import { parseConfig, UsageError, writeFileAtomic } from "../support/mod.ts";
import { parseArguments, parsePositive } from "./_arguments.ts";
import {
  addExperimentOptions,
  type ExperimentOptions,
  loadExperiment,
} from "./_experiment_options.ts";
import { withInterrupts } from "./_interrupt.ts";
import { checkNewFolder } from "./_output_files.ts";
import { runCommand } from "./_run_command.ts";
import { measureScenarios } from "./_scenario_capacity.ts";

interface CapacityOptions extends ExperimentOptions {
  readonly metric: string;
  readonly quantile?: number;
  readonly limit?: number;
  readonly router: string;
  readonly requests: number;
  readonly seed: number;
  readonly clusters?: string;
  readonly rate?: number;
  readonly jobs: number;
  readonly out?: string;
  readonly write?: true;
}

const program = addExperimentOptions(new Command("capacity"))
  .description(
    "Finds the highest request rate at which a cluster keeps an objective; with --rate, the " +
      "cheapest cluster that keeps it at that rate",
  )
  .option("--metric <name>", sloMetrics.join(", "), "scheduling_delay")
  .option("--quantile <q>", "quantile of the latency that is limited (default: 0.99)", Number)
  .option(
    "--limit <x>",
    "most seconds of a latency (default: 5), least share of slo_attainment (default: 0.9)",
    Number,
  )
  .option("--router <name>", "who routes", "least_outstanding")
  .option("--requests <n>", "requests per simulated run", parsePositive("--requests"), 2000)
  .option("--seed <n>", "seed of arrivals and lengths", parsePositive("--seed"), 1)
  .option("--clusters <file>", "JSON list of { name, cluster, dollarsPerHour? } to compare")
  .option("--rate <r>", "requests per second that have to be carried", Number)
  .option("--jobs <n>", "parallel workers", parsePositive("--jobs"), navigator.hardwareConcurrency)
  .option("--out <folder>", "new folder for capacity.json and the plot")
  .option(
    "--write",
    "with --scenario NAME (or all), which is measured as its file says: store the rate found there",
  );

async function main(args: readonly string[]): Promise<void> {
  const options = parseArguments(program, args).opts<CapacityOptions>();
  const { metric, quantile, limit, rate, out, scenario, write = false } = options;
  if (scenario !== undefined) return await measureScenarios(program, scenario, write);
  if (write) throw new UsageError("Cannot store a rate: --write must be given with --scenario");
  const slo = parseConfig<Slo>(sloSchema, {
    metric,
    ...(quantile !== undefined && { quantile }),
    ...(limit !== undefined &&
      (metric === "slo_attainment" ? { minFraction: limit } : { limitSeconds: limit })),
  }, "slo");
  if (rate !== undefined && !(rate > 0 && rate < Infinity)) {
    throw new UsageError(`Cannot read --rate: it must be finite and > 0, current value is ${rate}`);
  }
  if (out !== undefined) checkNewFolder("--out", out);
  const { cluster, workload } = await loadExperiment(options);
  const candidates = options.clusters === undefined
    ? [{ name: "configured", cluster }]
    : await readCandidates(options.clusters);
  const rows = await withInterrupts((signal) =>
    compareCapacity(candidates, {
      workload,
      slo,
      router: options.router,
      requests: options.requests,
      seed: options.seed,
      jobs: options.jobs,
      signal,
      ...(rate !== undefined && { ratePerSecond: rate }),
    })
  );
  print(rows, slo, rate);
  if (out !== undefined) await writeRows(out, rows, slo);
}

async function readCandidates(file: string): Promise<Candidate[]> {
  let input: unknown;
  try {
    input = JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    throw new UsageError(`Cannot read --clusters ${file}: ${(error as Error).message}`);
  }
  return parseConfig<Candidate[]>(candidateSchema.array().min(1), input, file);
}

function print(rows: readonly CapacityRow[], slo: Slo, rate: number | undefined): void {
  const table = new Table({
    head: [
      "cluster",
      "requests/s",
      slo.metric === "slo_attainment" ? "attainment there" : "seconds there",
      "$/h",
      "requests/$",
      "probes",
    ],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right", "right", "right"],
  });
  for (const { name, search, dollarsPerHour, requestsPerDollar } of rows) {
    const { ratePerSecond, probes } = search;
    const at = probes.findLast((probe) => probe.ratePerSecond === ratePerSecond) ?? probes.at(-1)!;
    table.push([
      name,
      ratePerSecond === 0 ? "none" : ratePerSecond.toPrecision(4),
      at.value.toPrecision(4),
      dollarsPerHour.toFixed(2),
      Math.round(requestsPerDollar),
      `${probes.length}${search.converged ? "" : " (not converged)"}`,
    ]);
  }
  console.log(table.toString());
  if (rate === undefined) return;
  const best = cheapest(rows);
  console.log(
    best === undefined
      ? `No cluster keeps the objective at ${rate} requests/s.`
      : `Cheapest at ${rate} requests/s: ${best.name}, $${best.dollarsPerHour.toFixed(2)}/h`,
  );
}

async function writeRows(folder: string, rows: readonly CapacityRow[], slo: Slo): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await writeFileAtomic(
    join(folder, "capacity.json"),
    `${JSON.stringify({ slo, rows }, undefined, 2)}\n`,
  );
  await writeChart(folder, "capacity", capacityChart(rows, slo));
  console.log(`Written to ${folder}`);
}

await runCommand(main);
