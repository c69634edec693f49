/**
 * Simulate clusters that serve large language models, train policies that route requests to
 * replicas, compare them with the usual heuristics, and draw what came out.
 *
 * This module re-exports every area; each can also be imported on its own, e.g.
 * `@signalbox/signalbox/simulator`.
 *
 * @example Which replica policy waits least on a heterogeneous cluster?
 * ```ts
 * import {
 *   evaluatePolicies,
 *   heuristicEntry,
 *   openScenario,
 *   parseExperimentConfig,
 *   summarizeRequests,
 * } from "@signalbox/signalbox";
 * import assert from "node:assert/strict";
 *
 * const scenario = await openScenario(parseExperimentConfig({
 *   cluster: { replicas: [{ gpu: "h100" }, { gpu: "a40" }] },
 *   evaluation: { seeds: [1], requests: 200 },
 * }));
 * const entries = ["random", "speed_weighted_lor"].map((name) => heuristicEntry(scenario, name));
 * const [random, weighted] = (await evaluatePolicies(scenario, entries)).map((run) =>
 *   summarizeRequests(run.workload, run.result, scenario.replicas.length)
 * );
 * assert.ok(weighted!.e2eMeanSeconds < random!.e2eMeanSeconds);
 * ```
 *
 * @module
 */
export * from "./lib/capacity/mod.ts";
export * from "./lib/config/mod.ts";
export * from "./lib/fidelity/mod.ts";
export * from "./lib/hardware/mod.ts";
export * from "./lib/kernels/mod.ts";
export * from "./lib/metrics/mod.ts";
export * from "./lib/plot/mod.ts";
export * from "./lib/policy/mod.ts";
export * from "./lib/ppo/mod.ts";
export * from "./lib/pretraining/mod.ts";
export * from "./lib/random/mod.ts";
export * from "./lib/reward/mod.ts";
export * from "./lib/routing/mod.ts";
export * from "./lib/scenarios/mod.ts";
export * from "./lib/simulator/mod.ts";
export * from "./lib/state/mod.ts";
export * from "./lib/stats/mod.ts";
export * from "./lib/support/mod.ts";
export * from "./lib/sweep/mod.ts";
export * from "./lib/timing/mod.ts";
export * from "./lib/training/mod.ts";
export * from "./lib/workload/mod.ts";
