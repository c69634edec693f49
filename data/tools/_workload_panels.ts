/**
 * The panels of a picture of a trace and its fit, each a Vega-Lite view with its data inside.
 */
import { colorScale } from "../../lib/plot/mod.ts";
import { mean, quantileSorted } from "../../lib/stats/mod.ts";
import { countDispersion, prefixHitRate, type Workload } from "../../lib/workload/mod.ts";
import { CACHE_BLOCKS } from "./_workload_statistics.ts";

/** What a picture compares: the trace and requests drawn from its fit. */
export interface Comparison {
  /** The trace. */
  readonly trace: Workload;
  /** Draws of the fit with different seeds. */
  readonly drawn: readonly Workload[];
}

/** A point of a curve. */
interface Point {
  readonly series: string;
  readonly x: number;
  readonly y: number;
  /** Curves of one series that are not to be joined. */
  readonly curve?: number;
}

const TRACE = "trace";
const FIT = "fit";
const ECDF_POINTS = 250;
const SIZE = { width: 400, height: 200 };

/** Columns of which a distribution is drawn. */
export type Column = "promptTokens" | "outputTokens" | "gapSeconds";

/** Distribution function of a column, all draws pooled. */
export function ecdfPanel({ trace, drawn }: Comparison, column: Column, title: string): object {
  const curve = (series: string, workloads: readonly Workload[]): Point[] => {
    const sorted = Float64Array.from(workloads.flatMap((workload) => valuesOf(workload, column)))
      .sort();
    return Array.from({ length: ECDF_POINTS + 1 }, (_, i) => ({
      series,
      x: quantileSorted(sorted, i / ECDF_POINTS),
      y: i / ECDF_POINTS,
    })).filter(({ x }) => x > 0);
  };
  return linePanel([...curve(TRACE, [trace]), ...curve(FIT, drawn)], {
    title: `Distribution of ${title}`,
    x: `${title} (log scale)`,
    y: "share at or below",
    xScale: { type: "log", nice: false },
  });
}

const PROMPT_RANGES = 20;
const OUTPUT_LEVELS = [0.1, 0.5, 0.9];

/** Quantiles of the output by prompt length. */
export function dependencePanel({ trace, drawn }: Comparison): object {
  const sorted = Float64Array.from(trace.promptTokens).sort();
  const edges = Array.from(
    { length: PROMPT_RANGES + 1 },
    (_, i) => quantileSorted(sorted, i / PROMPT_RANGES),
  );
  const curves = (series: string, workloads: readonly Workload[]): Point[] =>
    edges.slice(1).flatMap((high, range) => {
      const outputs = workloads.flatMap(({ promptTokens, outputTokens }) =>
        Array.from(outputTokens).filter((_, i) =>
          promptTokens[i]! <= high && (range === 0 || promptTokens[i]! > edges[range]!)
        )
      ).sort((a, b) => a - b);
      if (outputs.length === 0) return [];
      return OUTPUT_LEVELS.map((level) => ({
        series,
        x: (range + 0.5) / PROMPT_RANGES,
        y: quantileSorted(outputs, level),
        curve: level,
      }));
    });
  return linePanel([...curves(TRACE, [trace]), ...curves(FIT, drawn)], {
    title: "Output given the prompt: 10 %, 50 %, 90 %",
    x: "rank of the prompt length, 0 shortest",
    y: "output tokens (log scale)",
    yScale: { type: "log" },
  });
}

const WINDOWS_A_DECADE = 4;
/** Fewer windows than this say little of a variance. */
const MIN_WINDOWS = 8;

/** Index of dispersion by length of the window. */
export function dispersionPanel(comparison: Comparison, shortestSeconds: number): object {
  const { trace, drawn } = comparison;
  const points: Point[] = [];
  const longest = trace.arrivalSeconds[trace.count - 1]! / MIN_WINDOWS;
  for (let i = 0;; i++) {
    const x = shortestSeconds * 10 ** (i / WINDOWS_A_DECADE);
    if (x > longest) break;
    const dispersion = ({ arrivalSeconds }: Workload): number =>
      countDispersion(arrivalSeconds, x).dispersion;
    points.push({ series: TRACE, x, y: dispersion(trace) });
    points.push({ series: FIT, x, y: mean(drawn.map(dispersion)) });
  }
  return linePanel(points, {
    title: "Burstiness by time scale (Poisson: 1)",
    x: "window, seconds (log scale)",
    y: "variance / mean of counts",
    xScale: { type: "log", nice: false },
    yScale: { type: "log" },
  });
}

const RATE_WINDOW_SECONDS = 30;

/** Arrivals a second over time, of the trace and of one draw. */
export function ratePanel({ trace, drawn }: Comparison): object {
  const curve = (series: string, { arrivalSeconds, count }: Workload): Point[] => {
    const windows = Math.floor(arrivalSeconds[count - 1]! / RATE_WINDOW_SECONDS);
    const counts = new Float64Array(windows);
    for (const seconds of arrivalSeconds) {
      const window = Math.floor(seconds / RATE_WINDOW_SECONDS);
      if (window < windows) counts[window]!++;
    }
    return Array.from(counts, (arrivals, window) => ({
      series,
      x: (window + 0.5) * RATE_WINDOW_SECONDS / 60,
      y: arrivals / RATE_WINDOW_SECONDS,
    }));
  };
  return linePanel([...curve(TRACE, trace), ...curve(FIT, drawn[0]!)], {
    title: `Rate in windows of ${RATE_WINDOW_SECONDS} s, one draw`,
    x: "minutes",
    y: "requests a second",
  });
}

/** Prefix hit rate by size of the cache; an unlimited one is drawn as all blocks of the trace. */
export function hitRatePanel({ trace, drawn }: Comparison): object {
  const allBlocks = trace.prefixHashes!.hashes.length;
  const points = CACHE_BLOCKS.flatMap((blocks): Point[] => {
    const x = Math.min(blocks, allBlocks);
    const rate = ({ prefixHashes }: Workload): number => prefixHitRate(prefixHashes!, blocks);
    return [{ series: TRACE, x, y: rate(trace) }, { series: FIT, x, y: mean(drawn.map(rate)) }];
  });
  return linePanel(points, {
    title: "Prefix hits of one cache for all requests",
    x: `blocks of ${trace.prefixHashes!.blockTokens} tokens held (log scale)`,
    y: "share of blocks found",
    xScale: { type: "log", nice: false },
  });
}

function valuesOf(workload: Workload, column: Column): number[] {
  if (column !== "gapSeconds") return Array.from(workload[column]);
  const { arrivalSeconds } = workload;
  return Array.from(arrivalSeconds.subarray(1), (seconds, i) => seconds - arrivalSeconds[i]!);
}

interface PanelText {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly xScale?: object;
  readonly yScale?: object;
}

/** Lines, the trace's solid and the fit's broken. */
function linePanel(points: readonly Point[], { title, x, y, xScale, yScale }: PanelText): object {
  const values = points.map((point) => ({
    ...point,
    x: Number(point.x.toPrecision(4)),
    y: Number(point.y.toPrecision(4)),
  }));
  const series = [TRACE, FIT];
  return {
    ...SIZE,
    title: { text: title, fontSize: 13, offset: 8 },
    data: { values },
    mark: { type: "line", clip: true },
    encoding: {
      x: axis("x", x, xScale),
      y: axis("y", y, yScale),
      detail: { field: "curve" },
      color: { field: "series", type: "nominal", title: null, scale: colorScale(series) },
      strokeDash: {
        field: "series",
        type: "nominal",
        title: null,
        scale: { domain: series, range: [[1, 0], [5, 3]] },
      },
    },
  };
}

function axis(field: "x" | "y", title: string, scale: object | undefined): object {
  return {
    field,
    type: "quantitative",
    title,
    axis: { grid: true, format: "~f", tickCount: 6 },
    ...(scale && { scale }),
  };
}
