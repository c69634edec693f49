// deno-lint-ignore-file no-console
/** From the finished trials of a study to its results. */
import type { ExpandedStudy, Study } from "../study/mod.ts";
import { type FinishedTrials, finishedTrials, runPool, type TrialReport } from "../sweep/mod.ts";
import { type CellTask, readCellComparison } from "./_cell_task.ts";
import { writeStudy } from "./_study_results.ts";

/** What a study came to. */
export interface StudyOutputs {
  /** The text of `results.md`. */
  readonly text: string;
  /** Cells that could not be compared, with the reason. */
  readonly failures: readonly string[];
}

/** How a study is finished. */
export interface FinishOptions {
  /** Output folder, with the finished trials in `trials/`. */
  readonly out: string;
  /** Workers at a time. */
  readonly jobs: number;
  /** Stops everything; cells that are compared stay. */
  readonly signal: AbortSignal;
  /** What repeats the study. */
  readonly command: string;
}

/** Compares the cells whose trials are all there, and writes the results. */
export async function finishStudy(
  study: Study,
  { cells }: ExpandedStudy,
  { trials, timings }: FinishedTrials,
  { out, jobs, signal, command }: FinishOptions,
): Promise<StudyOutputs> {
  const cellsFolder = `${out}/cells`;
  const trialsFolder = `${out}/trials`;
  await Deno.mkdir(cellsFolder, { recursive: true });
  const ids = new Set(trials.map(({ id }) => id));
  const complete = cells.filter((cell) => cell.trials.every(({ id }) => ids.has(id)));
  const compared = await finishedTrials(cellsFolder);
  const pending = complete.filter(({ name }) => !compared.has(name));
  const { reference } = study;
  const tasks = pending.map((cell): CellTask => ({ cell, reference, trialsFolder, cellsFolder }));
  const outcomes = await runPool<CellTask, never, null>(tasks, {
    jobs,
    signal,
    createWorker: () =>
      new Worker(new URL("./_cell_worker.ts", import.meta.url), { type: "module" }),
    onStart: (task) => console.error(`comparing ${pending[task]!.title}`),
  });
  const failures = outcomes.flatMap((outcome, n) =>
    outcome.ok ? [] : [`comparison of ${pending[n]!.title}: ${outcome.error.message}`]
  );
  const found = complete.filter((cell) => {
    const task = pending.indexOf(cell);
    return task < 0 || outcomes[task]!.ok;
  });
  if (found.length === 0) return { text: "No cell could be compared.", failures };
  const learned = found.flatMap((cell) => cell.trials.filter(({ policy }) => policy === "ppo"));
  const text = await writeStudy(out, {
    study,
    cells: found,
    comparisons: await Promise.all(
      found.map(({ name }) => readCellComparison(`${cellsFolder}/${name}`)),
    ),
    reports: await Promise.all(
      learned.map(async ({ id }): Promise<TrialReport> =>
        JSON.parse(await Deno.readTextFile(`${trialsFolder}/${id}/trial.json`))
      ),
    ),
    timings,
    command,
  });
  return { text, failures };
}
