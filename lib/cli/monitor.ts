// deno-lint-ignore-file no-console
/**
 * `deno task monitor`: says how far a run of `deno task train` or `deno task sweep` is and how its
 * training goes, from the files that it leaves.
 *
 * @module
 */
import { Command } from "commander";
import { extname } from "node:path";
import { tableFromRows } from "../metrics/mod.ts";
import { type Chart, learningCurves, renderPng, renderSvg, writeReport } from "../plot/mod.ts";
import { UsageError, writeFileAtomic } from "../support/mod.ts";
import { trainingTableSchema } from "../sweep/mod.ts";
import { parseArguments, parseSeconds } from "./_arguments.ts";
import { newestRun, readRunStatus } from "./_find_run.ts";
import { Interrupted, withInterrupts } from "./_interrupt.ts";
import { checkOutputFile } from "./_output_files.ts";
import { runCommand } from "./_run_command.ts";
import { Redrawing } from "./_redrawing.ts";
import { readUpdatesInWords } from "./_run_readings.ts";
import type { RunStatus } from "./_run_status.ts";
import { statusLine, statusText } from "./_run_status_text.ts";

interface MonitorOptions {
  readonly json?: true;
  readonly watch?: number;
  readonly verbose?: true;
  readonly plot?: string;
}

/** Where runs lie when no folder is given. */
const RUNS = "runs";

/** Updates that the typed object of `--json` carries. */
const JSON_UPDATES = 5;

const program = new Command("monitor")
  .description("Says how far a run of train or sweep is, and how its training goes")
  .argument("[folder]", "output folder of the run (default: the newest below runs/)")
  .option("--json", "print one JSON object; with --watch one a line")
  .option("--watch <seconds>", "look again and again until the run ends", parseSeconds("--watch"))
  .option("--verbose", "also print the last 5 updates")
  .option("--plot <file>", "also draw the training curves: .html, .svg or .png");

await runCommand(async (args) => {
  const parsed = parseArguments(program, args);
  const options = parsed.opts<MonitorOptions>();
  if (options.plot !== undefined) {
    formatOf(options.plot);
    checkOutputFile("--plot", options.plot);
  }
  const folder = parsed.args[0] ?? await newestRun(RUNS);
  const status = options.watch === undefined
    ? await readRunStatus(folder, Date.now())
    : await watch(folder, options.watch, options);
  if (options.watch === undefined) {
    console.log(
      options.json
        ? JSON.stringify(plain(status), null, 2)
        : statusText(status, options.verbose ?? false),
    );
  }
  if (options.plot !== undefined) await plot(status, options.plot);
});

/** Shows the status until the run ends or the user has seen enough; returns the last one. */
async function watch(
  folder: string,
  seconds: number,
  { json, verbose }: MonitorOptions,
): Promise<RunStatus> {
  let status = await readRunStatus(folder, Date.now());
  const isTerminal = Deno.stdout.isTerminal() && json === undefined;
  const screen = new Redrawing((text) => Deno.stdout.writeSync(new TextEncoder().encode(text)));
  let shown = "";
  try {
    await withInterrupts(async (signal) => {
      for (;;) {
        const text = json ? JSON.stringify(plain(status)) : statusLine(status);
        if (isTerminal) screen.draw(statusText(status, verbose ?? false), Deno.consoleSize());
        // Without a terminal a line is worth printing when something has happened.
        else if (`${status.status} ${status.done}` !== shown) console.log(text);
        shown = `${status.status} ${status.done}`;
        if (status.status !== "running") return;
        await pause(seconds, signal);
        status = await readRunStatus(folder, Date.now());
      }
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    if (isTerminal) screen.end();
  }
  return status;
}

/** The typed object of `--json`: the status, its last updates, what they mean. */
function plain(status: RunStatus): unknown {
  return {
    ...status,
    updates: status.updates.slice(-JSON_UPDATES).map((row) => ({
      ...row,
      action_shares: Array.from(row.action_shares),
    })),
    readings: readUpdatesInWords(status.updates),
  };
}

/** Draws the six curves of spec/scheduler.md section 14.5. */
async function plot({ updates, folder }: RunStatus, file: string): Promise<void> {
  if (updates.length === 0) {
    throw new UsageError(`Cannot draw ${file}: the run must have at least one update`);
  }
  const chart: Chart = learningCurves(tableFromRows(trainingTableSchema, updates), {
    panels: [
      "policy_loss",
      "value_loss",
      "entropy",
      "approx_kl",
      "clip_fraction",
      "explained_variance",
    ],
    columns: 3,
  });
  switch (formatOf(file)) {
    case ".svg":
      await writeFileAtomic(file, await renderSvg(chart));
      break;
    case ".png":
      await writeFileAtomic(file, await renderPng(chart));
      break;
    case ".html":
      await writeReport(file, {
        title: folder,
        sections: [{ title: "Training", charts: { training: chart } }],
      });
  }
}

function formatOf(file: string): ".html" | ".svg" | ".png" {
  const extension = extname(file);
  if (extension === ".html" || extension === ".svg" || extension === ".png") return extension;
  throw new UsageError(
    `Cannot draw ${file}: --plot must end in .html, .svg or .png`,
  );
}

/** Waits; rejects at once when the signal fires. */
function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, 1000 * seconds);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
