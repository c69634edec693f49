/**
 * How the temperature of a policy's decisions is set.
 *
 * @module
 */
import { z } from "zod";

const nonNegative = z.number().nonnegative().finite();
const positive = z.number().positive().finite();

/** The temperature controller. Source of the defaults: spec/scheduler.md sections 0, 3 and 8. */
export const temperatureSchema = z.strictObject({
  mode: z.enum(["off", "document", "pulse"]).default("off").describe(
    "off: temperature 1 (spec/scheduler.md section 8 advises it); document: base times 1 + " +
      "pressure; pulse: the original code's, base plus pressure, raised in pulses",
  ),
  base: positive.default(1.5).describe("Temperature without pressure; document"),
  min: positive.default(0.8).describe("Lower limit; document"),
  max: positive.default(3).describe("Upper limit, doubled within a pulse; document"),
  qpsSensitivity: nonNegative.default(0.1).describe("Weight of the throughput pressure; section 3"),
  latencySensitivity: nonNegative.default(0.2).describe(
    "Weight of the latency pressure; section 3",
  ),
  targetThroughput: positive.nullable().default(null).describe(
    "Completed requests per second without pressure; null = the mean arrival rate of the episode " +
      "so far. The original's target, 1.1 times the present throughput, makes the pressure constant",
  ),
  pressureEmaAlpha: z.number().gt(0).max(1).default(0.1).describe(
    "pulse: weight of the newest decision in the averages of the pressures; section 8",
  ),
  balanceWeight: nonNegative.default(0.1).describe("pulse: weight of imbalance; section 8"),
  pulses: z.boolean().default(true).describe("pulse: whether there are any; section 8"),
  pulseInterval: z.int().min(1).default(8).describe(
    "pulse: decisions from one pulse to the next; section 8",
  ),
  pulseSteps: z.int().min(1).default(3).describe(
    "pulse: decisions that a pulse lasts, the last of which obeys the ordinary limit; section 8",
  ),
  pulseMagnitude: nonNegative.default(2).describe(
    "pulse: what a pulse adds, in units of base; section 8",
  ),
  stagnationThreshold: nonNegative.default(0.005).describe(
    "pulse: when throughput and latency together changed less than this at each remembered " +
      "decision, a pulse begins early; section 8",
  ),
  stagnationMemory: z.int().min(1).default(5).describe("pulse: decisions remembered; section 8"),
}).refine((config) => config.min <= config.max, { message: "<= max", path: ["min"] });

/** Typed form of {@linkcode temperatureSchema}. */
export type TemperatureConfig = z.infer<typeof temperatureSchema>;
