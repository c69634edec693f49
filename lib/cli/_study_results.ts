/** What a study leaves: `results.md`, `report.html` and `plots/`. */
import type { ExperimentConfig } from "../config/mod.ts";
import {
  type Chart,
  differenceIntervals,
  type ReportSection,
  tradeOff,
  type ValidationAxis,
  validationCurves,
  type ValidationPoint,
  writeChart,
  writeReport,
} from "../plot/mod.ts";
import {
  bestUntoldHeuristic,
  type CellComparison,
  judgeTargets,
  type Study,
  type StudyCell,
} from "../study/mod.ts";
import { writeFileAtomic } from "../support/mod.ts";
import type { TrialReport, TrialTiming } from "../sweep/mod.ts";
import {
  cellsTable,
  isSampled,
  ladderTable,
  markdownTable,
  opponentsTable,
  targetsTable,
  titleOf,
  tradeOffEntries,
  tradeOffTable,
} from "./_study_tables.ts";

/** What a study found. */
export interface StudyFindings {
  /** The study. */
  readonly study: Study;
  /** Cells that are complete. */
  readonly cells: readonly StudyCell[];
  /** One a cell. */
  readonly comparisons: readonly CellComparison[];
  /** Trained policies' trials. */
  readonly reports: readonly TrialReport[];
  /** By trial id. */
  readonly timings: Readonly<Record<string, TrialTiming>>;
  /** What repeats it. */
  readonly command: string;
}

/**
 * Writes the results into a folder. All but `plots/learning_by_seconds.*` and the same chart in
 * `report.html`, which are of the wall clock, depends on the study only.
 *
 * @returns The text of `results.md`.
 */
export async function writeStudy(out: string, findings: StudyFindings): Promise<string> {
  const { study, cells, comparisons, command } = findings;
  const verdicts = judgeTargets(study, comparisons);
  const { scenario, load, policies } = study.tradeOff;
  const curve = comparisons.find((cell) =>
    cell.scenario === scenario && cell.load === load && tradeOffEntries(policies, cell).length > 1
  );
  const [main] = study.policies;
  const reached = verdicts.filter(({ isReached }) => isReached).length;
  const summary = `${reached} of ${verdicts.length} targets reached.`;
  const intro = `${settingText(cells, command)}\n\n${HOW_TO_READ}`;
  const sampled = cellsTable(comparisons, study.reference, "sampled");
  const sections: ReportSection[] = [
    { title: "Targets", text: summary, tables: [targetsTable(verdicts)] },
    {
      title: "Trained policies",
      text: "All figures of a cell are in cells/SCENARIO_LOAD/report.html beside this page.",
      tables: [cellsTable(comparisons, study.reference, "greedy")],
      charts: differenceCharts(study, comparisons),
    },
    {
      title: "Mean E2E in seconds",
      tables: [ladderTable(comparisons, learnedLabels(study, comparisons))],
    },
    {
      title: `Mean E2E of ${main!.label} against every heuristic`,
      tables: [opponentsTable(comparisons, main!.label)],
    },
    ...(sampled.rows.length === 0
      ? []
      : [{ title: "Trained policies, actions drawn", tables: [sampled] }]),
    ...(curve === undefined ? [] : [{
      title: `Latency against first tokens, ${titleOf(curve)}`,
      tables: [tradeOffTable(study.tradeOff, curve, study.reference)],
      charts: { trade_off: tradeOffChart(study, curve) },
    }]),
    { title: "Speed of learning", text: LEARNING_TEXT, charts: learningCharts(findings) },
  ];
  await Deno.mkdir(`${out}/plots`, { recursive: true });
  for (const { charts = {} } of sections) {
    for (const [name, chart] of Object.entries(charts)) {
      await writeChart(`${out}/plots`, name, chart);
    }
  }
  await writeReport(`${out}/report.html`, {
    title: study.name.replaceAll("_", " "),
    subtitle: study.description,
    sections: [{ title: "What was run", text: intro }, ...sections],
  });
  const text = [intro, ...sections.flatMap(markdownSection)].join("\n\n") + "\n";
  await writeFileAtomic(`${out}/results.md`, text);
  return text;
}

/** A section with tables; charts are for the page. */
function markdownSection({ title, text, tables }: ReportSection): string[] {
  if (tables === undefined) return [];
  return [`### ${title}`, ...(text === undefined ? [] : [text]), ...tables.map(markdownTable)];
}

/** Trained policies that more than the trade-off is about, in each way of acting. */
function learnedLabels(
  { policies, tradeOff }: Study,
  comparisons: readonly CellComparison[],
): string[] {
  const found = new Set(
    comparisons.flatMap((cell) => cell.comparisons.map(({ policy }) => policy)),
  );
  // Points of the trade-off alone have a table of their own.
  const isPoint = ({ label, cells }: Study["policies"][number]): boolean =>
    tradeOff.policies.includes(label) && cells !== undefined &&
    Object.values(cells).flat().length === 1;
  return policies.filter((policy) => !isPoint(policy))
    .flatMap(({ label }) => [label, `${label} (sampled)`])
    .filter((label) => found.has(label));
}

function settingText(cells: readonly StudyCell[], command: string): string {
  const config = cells[0]!.config;
  const { training, evaluation } = config;
  const learned = cells.flatMap(({ trials }) => trials.filter(({ policy }) => policy === "ppo"));
  const seedLists = new Set(
    cells.flatMap(({ trials }) =>
      [...Map.groupBy(trials.filter(({ policy }) => policy === "ppo"), ({ label }) => label)]
        .map(([label, own]) => `${label}: ${own.map(({ seed }) => seed).join(", ")}`)
    ),
  );
  const spread = (read: (config: ExperimentConfig) => number): string => {
    const values = learned.map((trial) => read(trial.config));
    const [fewest, most] = [Math.min(...values), Math.max(...values)];
    return fewest === most ? `${most}` : `${fewest} to ${most}`;
  };
  return `\`${command}\`: ${learned.length} policies trained with ` +
    `${spread((own) => own.training.decisions)} decisions each (training seeds ` +
    `${[...seedLists].join("; ")}), compared on ${evaluation.seeds.length} runs of ` +
    `${evaluation.requests} test requests a cell (seeds ${evaluation.seeds.join(", ")}). ` +
    (training.validation.everyUpdates > 0 && training.validation.keep === "best"
      ? `Of each training the policy with the best validation is kept (every ` +
        `${training.validation.everyUpdates} updates, ${training.validation.seeds.length} runs of ` +
        `${spread((own) => own.training.validation.requests)} requests, seeds ` +
        `${training.validation.seeds.join(", ")}).`
      : "Of each training the last policy is kept.");
}

function differenceCharts(
  study: Study,
  comparisons: readonly CellComparison[],
): Record<string, Chart> {
  const { reference } = study;
  const shown = learnedLabels(study, comparisons).filter((policy) => !isSampled(policy));
  const against = (title: string, baselineOf: (cell: CellComparison) => string): Chart =>
    differenceIntervals(
      comparisons.flatMap((cell) =>
        cell.againstBaselines.get(baselineOf(cell))!
          .filter(({ policy }) => shown.includes(policy))
          .flatMap(({ policy, e2eMean, e2eP99, ttftMean }) => {
            const place = { policy, baseline: titleOf(cell) };
            return [
              { ...place, statistic: "mean E2E", relative: e2eMean.relative },
              { ...place, statistic: "p99 E2E", relative: e2eP99.relative },
              { ...place, statistic: "mean TTFT", relative: ttftMean.relative },
            ];
          })
      ),
      { title },
    );
  return {
    against_reference: against(`Trained policies against ${reference}`, () => reference),
    against_best: against(
      "Trained policies against the best heuristic that is told nothing",
      bestUntoldHeuristic,
    ),
  };
}

function tradeOffChart({ tradeOff: { policies } }: Study, cell: CellComparison): Chart {
  const onCurve = tradeOffEntries(policies, cell);
  const bestMean = Math.max(...onCurve.map(({ e2eMean }) => e2eMean.candidate.estimate));
  // Heuristics that are far slower than all of the curve would squeeze it.
  const beside = cell.comparisons.filter(({ policy, e2eMean }) =>
    cell.againstBaselines.has(policy) && e2eMean.candidate.estimate < 1.5 * bestMean
  );
  return tradeOff(
    [...onCurve, ...beside].map(({ policy, e2eMean, ttftMean }) => ({
      policy,
      isOnCurve: policies.includes(policy),
      e2eSeconds: e2eMean.candidate,
      ttftSeconds: ttftMean.candidate,
    })),
  );
}

function learningCharts({ study, reports, timings }: StudyFindings): Record<string, Chart> {
  const { label } = study.policies[0]!;
  const own = reports.filter(({ trial }) => trial.label === label);
  const draw = (
    axis: ValidationAxis,
    xOf: (report: TrialReport, validation: number) => number,
  ): Chart =>
    validationCurves(
      own.flatMap((report): ValidationPoint[] =>
        report.validations.map(({ e2eMeanSeconds }, validation) => ({
          panel: String(report.trial.cell.scenario),
          series: `${report.trial.cell.load} %`,
          seed: report.trial.seed!,
          x: xOf(report, validation),
          e2eMeanSeconds,
        }))
      ),
      axis,
    );
  return {
    learning_by_decisions: draw("decisions", (report, n) => report.validations[n]!.decisions),
    learning_by_seconds: draw(
      "seconds",
      ({ trial }, n) => timings[trial.id]?.validationSeconds?.[n] ?? Number.NaN,
    ),
  };
}

const HOW_TO_READ =
  "All policies of a cell served exactly the same test requests, which nobody trained on and by " +
  "which nothing was chosen; policies act greedily unless marked as sampled. Differences are " +
  "relative, with intervals of a paired bootstrap over training seeds, evaluation seeds and blocks " +
  "of neighbouring requests. A target of at least so much under is reached when the estimate is that " +
  "low and the interval below 0; not above, when the interval does not lie above 0. The best untold " +
  "heuristic is the one with the lowest mean E2E on these very requests of those that are told " +
  "neither speeds nor output lengths, which favours it. Fairness is Jain's index of the mean E2E by " +
  "replica.";

const LEARNING_TEXT =
  "Mean E2E of the policy under training on validation arrivals, acting greedily. Seconds are of the " +
  "wall clock from the beginning of a training, validations included, on one worker beside others.";
