/** What a comparison leaves in a folder. */
import { comparisonRows, comparisonsSchema, tableFromRows, writeParquet } from "../metrics/mod.ts";
import {
  actionShares,
  type Chart,
  countRoutingShares,
  differenceIntervals,
  latencyBars,
  latencyEcdf,
  policyDependence,
  type PolicyDifference,
  type Report,
  type ReportSection,
  routingShares,
  writeChart,
  writeReport,
} from "../plot/mod.ts";
import { type EvaluationSplit, measureDependence, type Scenario } from "../training/mod.ts";
import type { Comparison } from "./_comparison.ts";
import { baselinesTable, policiesTable } from "./_comparison_table.ts";

/** What the page says of the comparison. */
export interface ComparisonHeading {
  /** Title of the page. */
  readonly title: string;
  /** A sentence below it. */
  readonly subtitle: string;
  /** What the arrivals are held out for. */
  readonly split: EvaluationSplit;
}

/**
 * Writes `requests.parquet` (a row a request and run), `comparisons.parquet` (a row a policy,
 * baseline and statistic), `plots/` and `report.html`. Equal comparisons give equal bytes.
 */
export async function writeComparison(
  folder: string,
  scenario: Scenario,
  comparison: Comparison,
  heading: ComparisonHeading,
): Promise<void> {
  const { requests, reference, comparisons, againstBaselines } = comparison;
  await Deno.mkdir(`${folder}/plots`, { recursive: true });
  await writeParquet(`${folder}/requests.parquet`, requests);
  const rows = [
    ...comparisonRows(reference, comparisons),
    // The reference's part is in the line above.
    ...[...againstBaselines].flatMap(([baseline, found]) =>
      baseline === reference ? [] : [...comparisonRows(baseline, found)]
    ),
  ];
  await writeParquet(`${folder}/comparisons.parquet`, tableFromRows(comparisonsSchema, rows));
  const sections = composeSections(scenario, comparison, heading);
  for (const { charts = {} } of sections) {
    for (const [name, chart] of Object.entries(charts)) {
      await writeChart(`${folder}/plots`, name, chart);
    }
  }
  const { title, subtitle } = heading;
  await writeReport(`${folder}/report.html`, { title, subtitle, sections } satisfies Report);
}

function composeSections(
  scenario: Scenario,
  comparison: Comparison,
  { split }: ComparisonHeading,
): ReportSection[] {
  const { requests, comparisons, againstBaselines } = comparison;
  const { config, replicas } = scenario;
  const replicaNames = replicas.map(({ gpu }, replica) => `${replica} ${gpu}`);
  const differences = differencesOf(comparison);
  return [
    {
      title: "Policies compared",
      text: `${HOW_TO_READ}\n\n${SPLIT_TEXT[split]}`,
      tables: [policiesTable(comparison)],
      charts: {
        e2e_bars: latencyBars(comparisons),
        e2e_ecdf: latencyEcdf(requests),
        ttft_ecdf: latencyEcdf(requests, { column: "ttft_seconds" }),
      },
    },
    ...(againstBaselines.size === 0 ? [] : [{
      title: "Against each baseline",
      text: BASELINES_TEXT,
      tables: [baselinesTable(comparison)],
      charts: { baseline_differences: differenceIntervals(differences) },
    }]),
    {
      title: "What the policies do",
      text: WHAT_TEXT,
      charts: {
        action_shares: actionShares(comparisons, { replicaNames }),
        ...interpretationCharts(scenario, comparison, split, replicaNames),
      },
    },
    { title: "Configuration", details: { experiment: JSON.stringify(config, null, 2) } },
  ];
}

function differencesOf({ againstBaselines }: Comparison): PolicyDifference[] {
  return [...againstBaselines].flatMap(([baseline, comparisons]) =>
    comparisons.flatMap(({ policy, e2eMean, e2eP99, ttftMean }) => [
      { policy, baseline, statistic: "mean E2E", relative: e2eMean.relative },
      { policy, baseline, statistic: "p99 E2E", relative: e2eP99.relative },
      { policy, baseline, statistic: "mean TTFT", relative: ttftMean.relative },
    ])
  );
}

/** Charts of each trained policy beside the reference. */
function interpretationCharts(
  scenario: Scenario,
  { groups, requests, reference }: Comparison,
  split: EvaluationSplit,
  replicaNames: readonly string[],
): Record<string, Chart> {
  const charts: Record<string, Chart> = {};
  groups.forEach(({ actingLabels, members }, index) => {
    const suffix = groups.length === 1 ? "" : `_${index + 1}`;
    const shares = countRoutingShares(requests, { policies: [reference, ...actingLabels] });
    const points = members.flatMap((member) => measureDependence(scenario, member, { split }));
    charts[`routing_shares${suffix}`] = routingShares(shares, { replicaNames });
    charts[`dependence${suffix}`] = policyDependence(points, { replicaNames });
  });
  return charts;
}

const HOW_TO_READ =
  "All policies served exactly the same requests, with the same incidents. Latencies are over all " +
  "requests of all runs; E2E is from arrival to last token, TTFT from arrival to first token. " +
  "Intervals are of a paired bootstrap over training seeds, evaluation seeds and blocks of " +
  "neighbouring requests: one that does not contain 0 is more than chance. Fairness is Jain's index " +
  "of the mean E2E by replica: 1 where a request fares alike wherever it is sent. Policies that are " +
  "told what a real router has to find out, or could not know, say so; the clairvoyant one is a " +
  "mark to measure against.";

const SPLIT_TEXT: Readonly<Record<EvaluationSplit, string>> = {
  test: "Test arrivals: nobody trained on them, and nothing was chosen by them.",
  validation:
    "Validation arrivals: nobody trained on them, but settings and checkpoints may have been chosen " +
    "by them. Report the test split.",
};

const BASELINES_TEXT = "Differences of the trained policies to every baseline, relative to it.";

const WHAT_TEXT =
  "Shares by size and load are counted from the runs above. Partial dependence asks a trained " +
  "policy again at every tenth decision of the first run, with one thing changed and all else as it " +
  "was; curves are means over decisions and training seeds.";
