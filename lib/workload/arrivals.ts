/**
 * When requests arrive.
 *
 * @module
 */
import { z } from "zod";
import type { Rng } from "../random/mod.ts";
import { createGapTable, gapTableSchema } from "./gap_table.ts";

const ratePerSecond = z.number().positive().describe("Mean arrivals per second");
const cv = z.number().positive().describe("Standard deviation of the gaps over their mean");

const modulatedSchema = z.strictObject({
  kind: z.literal("modulated"),
  ratePerSecond,
  cv,
  modulations: z.array(z.strictObject({
    // At 3, half of the time has at most 1 % of the mean rate; far above, nothing would ever arrive.
    std: z.number().min(0).max(3).describe("Standard deviation of the log rate"),
    seconds: z.number().positive().describe("Correlation time"),
  })),
});

const tabulatedSchema = z.strictObject({
  kind: z.literal("tabulated"),
  ratePerSecond,
  gaps: gapTableSchema,
});

/** Configuration of the processes that are fitted to traces. */
export const fittedArrivalSchema = z.discriminatedUnion("kind", [modulatedSchema, tabulatedSchema]);

/** Configuration of an arrival process. */
export const arrivalSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("poisson"),
    ratePerSecond,
    vidurClip: z.boolean().default(false).describe(
      "Cut gaps off at 3 / rate as Vidur does, which raises the rate by 5 %",
    ),
  }),
  z.strictObject({
    kind: z.literal("gamma"),
    ratePerSecond,
    // Vidur's default (spec/simulator.md section 7).
    cv: cv.default(0.5),
  }),
  z.strictObject({
    kind: z.literal("static"),
    // 0, all at once, is what Vidur's generator of this name does.
    intervalSeconds: z.number().nonnegative().default(0),
  }),
  modulatedSchema,
  tabulatedSchema,
]);

/** An arrival process. */
export type ArrivalConfig = z.infer<typeof arrivalSchema>;

/** The process whose rate itself wanders. */
export type ModulatedArrivals = Extract<ArrivalConfig, { kind: "modulated" }>;

/** The process of measured gaps. */
export type TabulatedArrivals = Extract<ArrivalConfig, { kind: "tabulated" }>;

/** Yields arrival times in seconds, non-decreasing, one a call. */
export type ArrivalProcess = () => number;

/**
 * Starts an arrival process at time 0; the first arrival is one gap later.
 *
 * - `poisson`: exponential gaps.
 * - `gamma`: gamma gaps with the given coefficient of variation (1 is Poisson).
 * - `static`: equal gaps.
 * - `modulated`: gamma gaps in a clock that runs at `exp(sum x_i(t) - s_i^2 / 2)` times the speed,
 *   where each `x_i` is an Ornstein-Uhlenbeck process of standard deviation `s_i` and the given
 *   correlation time, constant within each second: a doubly stochastic renewal process of mean rate
 *   `ratePerSecond`, bursty over seconds and drifting over minutes as real traffic.
 * - `tabulated`: gaps of a measured distribution, neighbours alike ({@linkcode GapTable}): traffic
 *   that comes in bursts with silence between them.
 *
 * @param config The process.
 * @param rng Its random numbers.
 *
 * @example
 * ```ts
 * import { Rng } from "@signalbox/signalbox/random";
 * import { createArrivalProcess } from "@signalbox/signalbox/workload";
 * import assert from "node:assert/strict";
 *
 * const next = createArrivalProcess({ kind: "static", intervalSeconds: 0.5 }, new Rng(1));
 * assert.deepEqual([next(), next()], [0.5, 1]);
 * ```
 */
export function createArrivalProcess(config: ArrivalConfig, rng: Rng): ArrivalProcess {
  switch (config.kind) {
    case "poisson": {
      const { ratePerSecond: rate } = config;
      const longest = config.vidurClip ? 3 / rate : Infinity;
      return renewal(() => Math.min(rng.exponential(rate), longest));
    }
    case "gamma":
      return renewal(gammaGaps(config.ratePerSecond, config.cv, rng));
    case "static":
      return renewal(() => config.intervalSeconds);
    case "modulated":
      return modulated(config, rng);
    case "tabulated": {
      const nextGap = createGapTable(config.gaps, rng);
      return renewal(() => nextGap() / config.ratePerSecond);
    }
  }
}

/** Adds gaps up. */
function renewal(gapSeconds: () => number): ArrivalProcess {
  let nowSeconds = 0;
  return () => nowSeconds += gapSeconds();
}

/** Gamma gaps of mean `1 / rate`: shape `1 / cv^2`, scale `cv^2 / rate`. */
function gammaGaps(rate: number, variation: number, rng: Rng): () => number {
  const shape = 1 / (variation * variation);
  const scale = 1 / (rate * shape);
  return () => rng.gamma(shape, scale);
}

/** Seconds over which the rate of a modulated process is constant. */
const STEP_SECONDS = 1;

function modulated(config: ModulatedArrivals, rng: Rng): ArrivalProcess {
  const nextGap = gammaGaps(config.ratePerSecond, config.cv, rng);
  const components = config.modulations.map(({ std, seconds }) => {
    const keep = Math.exp(-STEP_SECONDS / seconds);
    return { std, keep, renew: std * Math.sqrt(1 - keep * keep), value: std * rng.normal() };
  });
  // The mean of exp(x) is exp(std^2 / 2): subtracting it keeps the mean rate.
  const offset = config.modulations.reduce((sum, { std }) => sum + std * std / 2, 0);
  const speedNow = (): number =>
    Math.exp(components.reduce((sum, { value }) => sum + value, 0) - offset);
  let speed = speedNow();
  let nowSeconds = 0;
  let stepIndex = 1;
  return () => {
    let clockSeconds = nextGap();
    while (clockSeconds > speed * (stepIndex * STEP_SECONDS - nowSeconds)) {
      clockSeconds -= speed * (stepIndex * STEP_SECONDS - nowSeconds);
      nowSeconds = stepIndex * STEP_SECONDS;
      stepIndex++;
      for (const component of components) {
        component.value = component.keep * component.value + component.renew * rng.normal();
      }
      speed = speedNow();
    }
    nowSeconds += clockSeconds / speed;
    return nowSeconds;
  };
}
