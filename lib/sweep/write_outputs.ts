/**
 * From finished trials to tables, charts and a report.
 *
 * @module
 */
import type { Table } from "apache-arrow";
import {
  axisColumn,
  comparePolicies,
  concatTables,
  type PolicyComparison,
  readArrow,
  summaryColumns,
  summarySchema,
  tableFromRows,
  type TableSchema,
  trialsSchema,
  writeArrow,
  writeParquet,
} from "../metrics/mod.ts";
import {
  actionShares,
  type Chart,
  latencyBars,
  latencyEcdf,
  learningCurves,
  rewardComponents,
  writeChart,
  writeReport,
} from "../plot/mod.ts";
import { Rng } from "../random/mod.ts";
import type { ExpandedSweep, Trial } from "./expand.ts";
import type { TrialReport } from "./run_trial.ts";
import { composeReport } from "./sweep_report.ts";

/** Policies compared on one cluster, workload and set of evaluation seeds. */
export interface ScenarioComparison {
  /** What tells this scenario from the others of the sweep; empty when there is one only. */
  readonly title: string;
  /** The policy that differences are taken to. */
  readonly reference: string;
  /** One entry a policy, in the order of the trials. */
  readonly comparisons: readonly PolicyComparison[];
}

/** What a sweep found. */
export interface SweepOutputs {
  /** One entry a scenario. */
  readonly scenarios: readonly ScenarioComparison[];
}

/** How outputs are written. */
export interface WriteOutputsOptions {
  /** Also write the tables as Arrow IPC files. */
  readonly arrow: boolean;
  /** Checked between files. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Merges finished trials, in the order given, into the tables, charts and report of an output
 * folder. The bytes depend on the trials only.
 *
 * @param trials Those that are finished, in the order of the sweep.
 * @returns Comparisons; undefined when a scenario has no finished reference to compare with.
 */
export async function writeOutputs(
  sweep: ExpandedSweep,
  trials: readonly Trial[],
  out: string,
  { arrow, signal }: WriteOutputsOptions,
): Promise<SweepOutputs | undefined> {
  const folderOf = (trial: Trial): string => `${out}/trials/${trial.id}`;
  const reports: TrialReport[] = [];
  for (const trial of trials) {
    reports.push(JSON.parse(await Deno.readTextFile(`${folderOf(trial)}/trial.json`)));
  }
  const tables: Record<string, Table> = {};
  tables.trials = trialsTable(sweep, reports);
  const learners = trials.filter((trial) => trial.policy === "ppo");
  if (learners.length > 0) {
    tables.training = concatTables(
      await Promise.all(learners.map((trial) => readArrow(`${folderOf(trial)}/training.arrow`))),
    );
  }
  const requests = new Map<string, Table>();
  for (const trial of trials) {
    requests.set(trial.id, await readArrow(`${folderOf(trial)}/requests.arrow`));
  }
  if (trials.length > 0) tables.requests = concatTables([...requests.values()]);
  for (const [name, table] of Object.entries(tables)) {
    signal?.throwIfAborted();
    await writeParquet(`${out}/${name}.parquet`, table);
    if (arrow) await writeArrow(`${out}/${name}.arrow`, table);
  }
  const scenarios = compareScenarios(sweep, trials, requests);
  if (scenarios === undefined) return undefined;
  const charted = scenarios.map((scenario, index) => ({
    comparison: scenario.comparison,
    charts: scenarioCharts(scenario, scenarios.length > 1 ? `_${index + 1}` : ""),
  }));
  const trainingCharts = tables.training === undefined ? {} : {
    learning_curves: learningCurves(tables.training),
    reward_components: rewardComponents(tables.training),
  };
  const charts = Object.assign({}, ...charted.map((entry) => entry.charts), trainingCharts);
  await writeCharts(`${out}/plots`, charts, signal);
  await writeReport(
    `${out}/report.html`,
    composeReport({ sweep, reports, scenarios: charted, trainingCharts }),
  );
  return { scenarios: scenarios.map(({ comparison }) => comparison) };
}

/** One row a trial and way of acting. */
function trialsTable(sweep: ExpandedSweep, reports: readonly TrialReport[]): Table {
  const axes = Object.fromEntries(
    sweep.axes.map(({ path, values }) => [path, axisColumn(path, values)]),
  );
  const schema: TableSchema = trialsSchema(
    { sampling: "dictionary?", ...axes },
    summarySchema,
  );
  const rows = reports.flatMap(({ trial, results }) =>
    results.map(({ policy, sampling, summary }) => ({
      trial_id: trial.id,
      kind: trial.policy === "ppo" ? "learned" : "baseline",
      policy,
      seed: trial.seed,
      sampling,
      ...Object.fromEntries(sweep.axes.map(({ path }) => [path, trial.cell[path] ?? null])),
      ...summaryColumns(summary),
    }))
  );
  return tableFromRows(schema, rows);
}

interface ComparedScenario {
  readonly comparison: ScenarioComparison;
  readonly requests: Table;
  readonly config: Trial["config"];
}

function compareScenarios(
  sweep: ExpandedSweep,
  trials: readonly Trial[],
  requests: ReadonlyMap<string, Table>,
): ComparedScenario[] | undefined {
  const byScenario = Map.groupBy(trials, (trial) => trial.scenario);
  const compared: ComparedScenario[] = [];
  for (const members of byScenario.values()) {
    const reference = members.find((trial) => trial.policy === sweep.reference);
    if (reference === undefined) return undefined;
    const own = concatTables(members.map((trial) => requests.get(trial.id)!));
    const rng = new Rng(0).stream("bootstrap");
    compared.push({
      comparison: {
        title: reference.label.slice(reference.policy.length).trim(),
        reference: reference.label,
        comparisons: comparePolicies(own, reference.label, rng),
      },
      requests: own,
      config: reference.config,
    });
  }
  return compared;
}

/** Charts of one scenario by file name. */
function scenarioCharts(
  { comparison: { comparisons }, requests, config }: ComparedScenario,
  suffix: string,
): Record<string, Chart> {
  const replicaNames = config.cluster.replicas
    .flatMap(({ gpu, count }) => Array.from({ length: count }, () => gpu))
    .map((gpu, replica) => `${replica} ${gpu}`);
  return {
    [`e2e_bars${suffix}`]: latencyBars(comparisons),
    [`e2e_ecdf${suffix}`]: latencyEcdf(requests),
    [`action_shares${suffix}`]: actionShares(comparisons, { replicaNames }),
  };
}

async function writeCharts(
  folder: string,
  charts: Readonly<Record<string, Chart>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, chart] of Object.entries(charts)) {
    signal?.throwIfAborted();
    await writeChart(folder, name, chart);
  }
}
