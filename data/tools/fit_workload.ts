/**
 * Fits the embedded workload to its trace and writes `data/workloads/<name>.json`.
 *
 *     deno run -A data/tools/fit_workload.ts ../shared/traces/azure2023_conv.csv
 *
 * Lengths are tabulated. Arrivals are a modulated renewal process (`createArrivalProcess`): two
 * Ornstein-Uhlenbeck components of the log rate are chosen so that the variance of counts in windows
 * of 1 to 300 s is the trace's, then the gaps' own variation so that the variation of gaps is.
 */
import { Rng } from "../../lib/random/mod.ts";
import { mean, sampleStd } from "../../lib/stats/mod.ts";
import { UsageError, writeFileAtomic } from "../../lib/support/mod.ts";
import {
  createArrivalProcess,
  fitLengthTable,
  type LengthTable,
  type ModulatedArrivals,
  readTrace,
  sampleLengthTable,
  summarizeWorkload,
  type Workload,
} from "../../lib/workload/mod.ts";

type Modulation = ModulatedArrivals["modulations"][number];

const WINDOW_SECONDS = [1, 2, 5, 10, 20, 30, 60, 120, 300];
const FAST_SECONDS = [1, 1.5, 2, 3, 4, 6, 8, 12];
const SLOW_SECONDS = [60, 100, 150, 200, 300, 400, 600, 800, 1200];
const SIMULATED_TRACES = 20;

/** Variance of the rate, averaged over windows of `windowSeconds`, relative to its mean squared. */
function rateVariance(arrivalSeconds: ArrayLike<number>, windowSeconds: number): number {
  const windows = Math.floor(arrivalSeconds[arrivalSeconds.length - 1]! / windowSeconds);
  const counts = new Float64Array(windows);
  for (let i = 0; i < arrivalSeconds.length; i++) {
    const window = Math.floor(arrivalSeconds[i]! / windowSeconds);
    if (window < windows) counts[window]!++;
  }
  const centre = mean(counts);
  // What a Poisson process of constant rate would show is not the rate's.
  return (sampleStd(counts) ** 2 - centre) / centre ** 2;
}

/** Variance of the mean over `windowSeconds` of a unit OU process with the given correlation time. */
function windowedVariance(windowSeconds: number, correlationSeconds: number): number {
  const ratio = correlationSeconds / windowSeconds;
  return 2 * ratio * (1 - ratio * (1 - Math.exp(-1 / ratio)));
}

/** Least squares over a grid of correlation times; small variances, so log rate stands for rate. */
function fitModulations(arrivalSeconds: ArrayLike<number>): Modulation[] {
  const duration = arrivalSeconds[arrivalSeconds.length - 1]!;
  const targets = WINDOW_SECONDS.map((window) => rateVariance(arrivalSeconds, window));
  let best: Modulation[] = [];
  let lowest = Infinity;
  for (const fast of FAST_SECONDS) {
    for (const slow of SLOW_SECONDS) {
      // The sample's own mean is subtracted from a trace of finite length, and so it is here.
      const columns = [fast, slow].map((seconds) =>
        WINDOW_SECONDS.map((window) =>
          windowedVariance(window, seconds) - windowedVariance(duration, seconds)
        )
      );
      const [a, b] = solveTwo(columns[0]!, columns[1]!, targets);
      if (a < 0 || b < 0) continue;
      const error = targets.reduce(
        (sum, target, i) => sum + (a * columns[0]![i]! + b * columns[1]![i]! - target) ** 2,
        0,
      );
      if (error < lowest) {
        lowest = error;
        best = [{ std: Math.sqrt(a), seconds: fast }, { std: Math.sqrt(b), seconds: slow }];
      }
    }
  }
  return best.map(({ std, seconds }) => ({ std: Number(std.toFixed(4)), seconds }));
}

/** Least-squares weights of two columns. */
function solveTwo(
  x: readonly number[],
  y: readonly number[],
  target: readonly number[],
): [number, number] {
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const [xx, xy, yy, xt, yt] = [dot(x, x), dot(x, y), dot(y, y), dot(x, target), dot(y, target)];
  const determinant = xx * yy - xy * xy;
  return [(xt * yy - yt * xy) / determinant, (yt * xx - xt * xy) / determinant];
}

/** Generated traces of as many requests as the real one. */
function simulate(arrivals: ModulatedArrivals, lengths: LengthTable, count: number): Workload[] {
  return Array.from({ length: SIMULATED_TRACES }, (_, seed) => {
    const next = createArrivalProcess(arrivals, new Rng(seed).stream("arrivals"));
    const rng = new Rng(seed).stream("lengths");
    const tokens = Array.from({ length: count }, () => sampleLengthTable(lengths, rng));
    return {
      name: "simulated",
      count,
      arrivalSeconds: Float64Array.from({ length: count }, next),
      promptTokens: Int32Array.from(tokens, ([prompt]) => prompt),
      outputTokens: Int32Array.from(tokens, ([, output]) => output),
    };
  });
}

/** Variation of gaps that makes the simulated traces as bursty as the real one, by bisection. */
function fitGapVariation(
  arrivals: ModulatedArrivals,
  lengths: LengthTable,
  count: number,
  target: number,
): number {
  let low = 0.5;
  let high = 2;
  while (high - low > 0.001) {
    const cv = (low + high) / 2;
    const simulated = simulate({ ...arrivals, cv }, lengths, count);
    const reached = mean(simulated.map((trace) => summarizeWorkload(trace).interArrivalCv));
    if (reached < target) low = cv;
    else high = cv;
  }
  return Number(((low + high) / 2).toFixed(3));
}

/** The statistics that are compared, averaged over traces. */
function statistics(traces: readonly Workload[]): Record<string, number> {
  const summaries = traces.map(summarizeWorkload);
  const average = (pick: (summary: typeof summaries[number]) => number): number =>
    Number(mean(summaries.map(pick)).toPrecision(4));
  return {
    ratePerSecond: average((summary) => summary.ratePerSecond),
    interArrivalCv: average((summary) => summary.interArrivalCv),
    promptTokensMean: average((summary) => summary.promptTokens.mean),
    promptTokensP50: average((summary) => summary.promptTokens.p50),
    promptTokensP95: average((summary) => summary.promptTokens.p95),
    outputTokensMean: average((summary) => summary.outputTokens.mean),
    outputTokensP50: average((summary) => summary.outputTokens.p50),
    outputTokensP95: average((summary) => summary.outputTokens.p95),
    ...Object.fromEntries(
      [10, 60].map((window) => [
        `rateVariance${window}s`,
        Number(mean(traces.map((t) => rateVariance(t.arrivalSeconds, window))).toPrecision(4)),
      ]),
    ),
  };
}

const [path, ...rest] = Deno.args;
if (path === undefined || rest.length > 0) {
  throw new UsageError("Cannot fit a workload: usage is fit_workload.ts TRACE.csv");
}
const trace = await readTrace(path);
const summary = summarizeWorkload(trace);
const lengths = fitLengthTable(trace.promptTokens, trace.outputTokens, {
  promptSteps: 500,
  ranges: 40,
  outputSteps: 50,
});
const unfitted: ModulatedArrivals = {
  kind: "modulated",
  ratePerSecond: Number(summary.ratePerSecond.toFixed(4)),
  cv: 1,
  modulations: fitModulations(trace.arrivalSeconds),
};
const cv = fitGapVariation(unfitted, lengths, trace.count, summary.interArrivalCv);
const fitted = { ...unfitted, cv };
const document = {
  name: "azure_conversation_2023",
  source:
    "Azure LLM inference trace 2023, conversation service (AzureLLMInferenceTrace_conv.csv), " +
    "https://github.com/Azure/AzurePublicDataset; Patel et al., Splitwise, ISCA 2024",
  licence: "CC-BY-4.0, Microsoft Azure. Statistics of the trace; the trace itself is not included",
  method: "data/tools/fit_workload.ts",
  arrivals: { ratePerSecond: fitted.ratePerSecond, cv, modulations: fitted.modulations },
  trace: statistics([trace]),
  simulated: statistics(simulate(fitted, lengths, trace.count)),
  lengths,
};
const text = JSON.stringify(document, null, 2).replaceAll(
  /\[[\s\d,]+\]/g,
  (list) => list.replaceAll(/\s+/g, ""),
);
await writeFileAtomic(
  new URL("../workloads/azure_conversation_2023.json", import.meta.url).pathname,
  `${text}\n`,
);
