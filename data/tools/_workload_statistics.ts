/**
 * The figures in which a trace and its fit are compared.
 */
import { mean } from "../../lib/stats/mod.ts";
import {
  countDispersion,
  lengthInformation,
  type Lengths,
  outputPredictability,
  prefixHitRate,
  summarizeWorkload,
  type Workload,
} from "../../lib/workload/mod.ts";
import type { WorkloadRecipe } from "./_workload_recipes.ts";

/** Cache sizes of the prefix hit rate, in blocks. */
export const CACHE_BLOCKS = [1000, 3000, 10_000, 30_000, 100_000, Infinity];

const PREDICTION_RANGES = [40, 160];
const INFORMATION_RANGES = 20;

/** Figures of a workload by name, averaged over several. */
export function workloadStatistics(
  workloads: readonly Workload[],
  recipe: WorkloadRecipe,
): Record<string, number> {
  const each = workloads.map((workload) => figuresOf(workload, recipe));
  return Object.fromEntries(
    Object.keys(each[0]!).map((name) => [
      name,
      Number(mean(each.map((figures) => figures[name]!)).toPrecision(4)),
    ]),
  );
}

function figuresOf(
  workload: Workload,
  { windowSeconds, tickSeconds }: WorkloadRecipe,
): Record<string, number> {
  const { ratePerSecond, interArrivalCv, promptTokens, outputTokens } = summarizeWorkload(workload);
  const figures: Record<string, number> = {
    ratePerSecond,
    ...(tickSeconds === 0 && { interArrivalCv }),
    promptTokensMean: promptTokens.mean,
    promptTokensP50: promptTokens.p50,
    promptTokensP95: promptTokens.p95,
    outputTokensMean: outputTokens.mean,
    outputTokensP50: outputTokens.p50,
    outputTokensP95: outputTokens.p95,
  };
  for (const window of windowSeconds) {
    const { dispersion, idleShare } = countDispersion(workload.arrivalSeconds, window);
    figures[`dispersion${window}s`] = dispersion;
    figures[`idleShare${window}s`] = idleShare;
  }
  const [train, test] = [everySecond(workload, 0), everySecond(workload, 1)];
  for (const ranges of PREDICTION_RANGES) {
    const { explainedShare, concordance } = outputPredictability(train, test, ranges);
    figures[`explainedShare${ranges}`] = explainedShare;
    figures[`concordance${ranges}`] = concordance;
  }
  figures["lengthInformationNats"] = lengthInformation(workload, INFORMATION_RANGES);
  for (const lag of [1, 100]) {
    figures[`outputAutocorrelation${lag}`] = logAutocorrelation(workload.outputTokens, lag);
  }
  if (workload.prefixHashes !== undefined) {
    for (const blocks of CACHE_BLOCKS) {
      const name = blocks === Infinity ? "prefixHitRate" : `prefixHitRate${blocks}`;
      figures[name] = prefixHitRate(workload.prefixHashes, blocks);
    }
  }
  return figures;
}

/** Every other request from `first` on: to learn from one half and predict the other. */
function everySecond({ promptTokens, outputTokens }: Workload, first: number): Lengths {
  const select = (_: number, i: number): boolean => i % 2 === first;
  return { promptTokens: promptTokens.filter(select), outputTokens: outputTokens.filter(select) };
}

/** Correlation of the log of values that are `lag` apart. */
function logAutocorrelation(values: Int32Array, lag: number): number {
  const logs = Float64Array.from(values, Math.log);
  const centre = mean(logs);
  let product = 0;
  let square = 0;
  logs.forEach((log, i) => {
    square += (log - centre) ** 2;
    if (i >= lag) product += (log - centre) * (logs[i - lag]! - centre);
  });
  return product / square;
}
