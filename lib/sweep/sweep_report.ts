/**
 * The report of a sweep.
 *
 * @module
 */
import type { PolicyComparison } from "../metrics/mod.ts";
import type { Chart, Report, ReportSection, ReportTable } from "../plot/mod.ts";
import type { Interval } from "../stats/mod.ts";
import type { ExpandedSweep, Trial } from "./expand.ts";
import type { TrialReport } from "./run_trial.ts";
import type { ScenarioComparison } from "./write_outputs.ts";

/** What a report is made of. */
export interface SweepReportInput {
  /** The sweep. */
  readonly sweep: ExpandedSweep;
  /** Finished trials in order. */
  readonly reports: readonly TrialReport[];
  /** Comparisons with their charts by file name, one entry a scenario. */
  readonly scenarios: readonly {
    readonly comparison: ScenarioComparison;
    readonly charts: Readonly<Record<string, Chart>>;
  }[];
  /** Charts of the training by file name; none when nothing was trained. */
  readonly trainingCharts: Readonly<Record<string, Chart>>;
}

/** Composes the page: comparisons, training, trials, configuration. */
export function composeReport(input: SweepReportInput): Report {
  const { sweep, reports, scenarios, trainingCharts } = input;
  const sections: ReportSection[] = scenarios.map(({ comparison, charts }) => ({
    title: comparison.title === "" ? "Policies compared" : `Policies: ${comparison.title}`,
    text: HOW_TO_READ,
    tables: [comparisonTable(comparison)],
    charts,
  }));
  if (Object.keys(trainingCharts).length > 0) {
    sections.push({ title: "Training", text: TRAINING_TEXT, charts: trainingCharts });
  }
  sections.push({ title: "Trials", tables: [trialsTable(reports)] });
  sections.push({ title: "Configuration", details: configurations(sweep.trials) });
  return {
    title: sweep.name.replaceAll("_", " "),
    subtitle: sweep.description,
    sections,
  };
}

const HOW_TO_READ =
  "All policies served exactly the same held-out requests. Latencies are over all requests of all " +
  "evaluation runs; E2E is from arrival to last token, TTFT from arrival to first token. " +
  "Differences are of mean E2E, with 95 % intervals of a paired bootstrap over training seeds, " +
  "evaluation seeds and blocks of neighbouring requests: an interval that does not contain 0 is " +
  "more than chance.";

const TRAINING_TEXT =
  "One point an update. Latencies here are those of the training arrivals under sampled actions; " +
  "they are not comparable with the evaluation above.";

function comparisonTable({ reference, comparisons }: ScenarioComparison): ReportTable {
  return {
    columns: [
      "Policy",
      "Mean E2E (s)",
      "p50 E2E (s)",
      "p99 E2E (s)",
      "Mean TTFT (s)",
      "p99 TTFT (s)",
      "Requests/s",
      `Mean E2E vs ${reference}`,
      "95 % interval",
      "Runs",
    ],
    rows: comparisons.map((entry) => [
      entry.policy,
      entry.e2eMean.candidate.estimate.toFixed(3),
      entry.e2eP50Seconds.toFixed(3),
      entry.e2eP99.candidate.estimate.toFixed(2),
      entry.ttftMean.candidate.estimate.toFixed(3),
      entry.ttftP99Seconds.toFixed(3),
      entry.requestsPerSecond.toFixed(2),
      ...differenceCells(entry, reference),
      entry.runCount,
    ]),
  };
}

function differenceCells(entry: PolicyComparison, reference: string): string[] {
  if (entry.policy === reference) return ["reference", ""];
  const { estimate, low, high }: Interval = entry.e2eMean.relative;
  return [percent(estimate), `${percent(low)} to ${percent(high)}`];
}

function trialsTable(reports: readonly TrialReport[]): ReportTable {
  return {
    columns: ["Trial", "Policy", "Seed", "Mean E2E (s)", "p99 E2E (s)", "Replica shares"],
    rows: reports.flatMap(({ trial, results }) =>
      results.map(({ policy, summary }) => [
        trial.id,
        policy,
        trial.seed,
        summary.e2eMeanSeconds.toFixed(3),
        summary.e2eP99Seconds.toFixed(2),
        summary.replicaShares.map((share) => percent(share, "")).join(" / "),
      ])
    ),
  };
}

/** Full configurations as folded JSON: one for each label, its first seed's. */
function configurations(trials: readonly Trial[]): Record<string, string> {
  const byLabel = new Map<string, Trial>();
  for (const trial of trials) {
    if (trial.policy === "ppo" && !byLabel.has(trial.label)) byLabel.set(trial.label, trial);
  }
  return Object.fromEntries(
    [...byLabel].map(([label, { config }]) => [label, JSON.stringify(config, null, 2)]),
  );
}

function percent(share: number, plus = "+"): string {
  if (Number.isNaN(share)) return "unknown";
  return `${share > 0 ? plus : ""}${(100 * share).toFixed(1)} %`;
}
