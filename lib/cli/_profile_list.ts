// deno-lint-ignore-file no-console
/** `deno task profile list` and `show`. */
import type { Command } from "commander";
import { UsageError } from "../support/mod.ts";
import {
  listShippedProfiles,
  loadShippedProfile,
  type ProfileCurve,
  type ProfileDegree,
  shippedProfiles,
  type TimingProfile,
} from "../timing/mod.ts";
import { textTable } from "./_text_table.ts";

/** Adds the sub-commands that describe the shipped profiles. */
export function addListCommands(program: Command): void {
  program.command("list").description("Lists the shipped profiles with their errors").action(list);
  program.command("show").argument("<gpu>").argument("<model>", "Hugging Face name, or its end")
    .description("Shows where a shipped profile comes from and the error of each operation")
    .action(show);
}

/** Median and 90th percentile of relative errors, in percent. */
export function errorText(error: { median: number; p90: number } | undefined): string {
  return error === undefined
    ? "-"
    : `${(100 * error.median).toFixed(1)} / ${(100 * error.p90).toFixed(1)}`;
}

/** Errors of attention, or that it was not measured. */
export function attentionText({ attention }: ProfileDegree): string {
  if (attention.kind === "analytic") return "analytic";
  if (attention.kind === "joint") return errorText(attention.error);
  return `${errorText(attention.prefill.error)}, ${errorText(attention.decode.error)}`;
}

/** GPU, model, degree and errors of layer, attention, all-reduce and send-recv: a row a degree. */
export function degreeRows({ gpu, model, degrees }: TimingProfile): string[][] {
  return degrees.map((degree) => [
    gpu,
    model,
    String(degree.tensorParallel),
    errorText(degree.layerError),
    attentionText(degree),
    degree.tensorParallel === 1
      ? "-"
      : degree.allReduce
      ? errorText(degree.allReduce.error)
      : "analytic",
    degree.sendRecv ? errorText(degree.sendRecv.error) : "analytic",
  ]);
}

function list(): void {
  const rows = shippedProfiles().flatMap(degreeRows);
  const head = ["gpu", "model", "tp", "layer %", "attention %", "all-reduce %", "send-recv %"];
  console.log(textTable(head, rows));
  console.log("Relative errors against the measured tables, median / 90th percentile; layer: all");
  console.log("operations but attention; attention: one kernel, or prompts, decodes.");
  console.log("analytic: not measured, the analytic timer's term stands in.");
}

function show(gpu: string, name: string): void {
  const models = shippedProfiles().map(({ model }) => model);
  const model = models.find((each) => each === name || each.endsWith(`/${name}`)) ?? name;
  const profile = loadShippedProfile(gpu, model);
  if (profile === undefined) {
    const known = listShippedProfiles().map((file) => file.replace(/\.json$/, "")).join(", ");
    throw new UsageError(
      `Cannot show a profile: there is none of ${name} on ${gpu} (shipped are ${known})`,
    );
  }
  for (const key of ["gpu", "model", "source", "licence", "method"] as const) {
    console.log(`${key}: ${profile[key]}`);
  }
  console.log(`tables: ${profile.tables.join(", ")}`);
  for (const degree of profile.degrees) {
    console.log(`\ntensorParallel ${degree.tensorParallel}`);
    console.log(degreeTable(degree));
    if (degree.attention.kind === "analytic") {
      console.log(`attention is analytic: ${degree.attention.reason}`);
    }
  }
}

const COLLECTED = ["embedding", "finalNorm", "sampling", "allReduce", "sendRecv", "cpu"] as const;

function degreeTable(degree: ProfileDegree): string {
  const curves: [string, ProfileCurve][] = [
    ...Object.entries(degree.layer),
    ...COLLECTED.flatMap((name): [string, ProfileCurve][] =>
      degree[name] ? [[name, degree[name]]] : []
    ),
  ];
  const rows = curves.map(([name, { counts, error, heldOut }]) => [
    name,
    String(error?.points ?? 0),
    String(counts.length),
    ...errorCells(error),
    errorText(heldOut),
  ]);
  const { attention, layerError } = degree;
  rows.push(["layer, summed", String(layerError.points), "", ...errorCells(layerError), "-"]);
  const grids = attention.kind === "separate"
    ? [["prefill attention", attention.prefill], ["decode attention", attention.decode]] as const
    : attention.kind === "joint"
    ? [["attention", attention]] as const
    : [];
  for (const [name, { microseconds, error }] of grids) {
    const kept = microseconds.filter((value) => value !== null).length;
    rows.push([name, String(error.points), String(kept), ...errorCells(error), "all"]);
  }
  const head = ["operation", "points", "knots", "median %", "p90 %", "max %", "held out %"];
  return textTable(head, rows);
}

function errorCells(error: { median: number; p90: number; max: number } | undefined): string[] {
  if (error === undefined) return ["-", "-", "-"];
  return [error.median, error.p90, error.max].map((value) => (100 * value).toFixed(1));
}
