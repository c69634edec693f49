/** Random clusters, workloads and failures for property tests. */
import * as fc from "fast-check";
import {
  maxSequenceTokens,
  type ReplicaIncident,
  type ReplicaSpec,
  schedulerKinds,
} from "../../lib/simulator/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";
import { affineTimer, makeReplica } from "./_fixtures.ts";

/** One random case. */
export interface Scenario {
  readonly replicas: readonly ReplicaSpec[];
  readonly workload: Workload;
  readonly incidents: readonly ReplicaIncident[];
  /** Endless source of routing choices. */
  readonly choices: readonly number[];
}

const replicaArbitrary = fc.record({
  kind: fc.constantFrom(...schedulerKinds),
  stageCount: fc.integer({ min: 1, max: 3 }),
  kvBlocks: fc.integer({ min: 12, max: 60 }),
  batchSizeCap: fc.integer({ min: 3, max: 12 }),
  chunkTokens: fc.integer({ min: 8, max: 64 }),
  maxTokensInBatch: fc.constantFrom(24, 4096),
  watermarkFraction: fc.constantFrom(0, 0.01, 0.1),
  speed: fc.constantFrom(0.5, 1, 3),
}).map(({ kind, stageCount, kvBlocks, speed, ...scheduler }) => {
  const isTokenGranular = kind === "lightllm";
  return makeReplica(
    { ...scheduler, kind, blockSize: isTokenGranular ? 1 : 8, maxTokensPerRequest: 76 },
    {
      stageCount: isTokenGranular ? 1 : stageCount,
      kvBlocks: isTokenGranular ? kvBlocks * 8 : kvBlocks,
      maxBatchSize: scheduler.batchSizeCap,
      timer: {
        modelSeconds: (batch, stage) => affineTimer.modelSeconds(batch, stage) / speed,
        overheadSeconds: () => 0.001,
      },
    },
  );
});

const requestArbitrary = fc.record({
  // Gaps of zero and multiples of a quantum make ties among arrivals and completions likely.
  gap: fc.constantFrom(0, 0, 0.011, 0.05, 0.3),
  prompt: fc.integer({ min: 1, max: 40 }),
  output: fc.integer({ min: 1, max: 30 }),
  priority: fc.integer({ min: 0, max: 2 }),
});

const incidentArbitrary = fc.record({
  kind: fc.constantFrom("slowdown" as const, "fail" as const, "drain" as const, "recover" as const),
  atSeconds: fc.double({ min: 0, max: 3, noNaN: true }),
  replica: fc.nat(),
  factor: fc.constantFrom(0.5, 2, 5),
});

/** Scenarios in which every replica recovers in the end, so that every request can complete. */
export const scenarioArbitrary: fc.Arbitrary<Scenario> = fc.record({
  replicas: fc.array(replicaArbitrary, { minLength: 1, maxLength: 4 }),
  requests: fc.array(requestArbitrary, { minLength: 1, maxLength: 40 }),
  incidents: fc.array(incidentArbitrary, { maxLength: 4 }),
  hasPriorities: fc.boolean(),
  choices: fc.array(fc.nat({ max: 1000 }), { minLength: 8, maxLength: 8 }),
}).map(({ replicas, requests, incidents, hasPriorities, choices }) => {
  const limit = Math.min(...replicas.map(maxSequenceTokens));
  const arrivals = requests.map((request) => request.gap);
  for (let i = 1; i < arrivals.length; i++) arrivals[i]! += arrivals[i - 1]!;
  const prompts = requests.map((request) => Math.min(request.prompt, limit - 1));
  const workload: Workload = {
    name: "random",
    count: requests.length,
    arrivalSeconds: Float64Array.from(arrivals),
    promptTokens: Int32Array.from(prompts),
    outputTokens: Int32Array.from(requests, (r, i) => Math.min(r.output, limit - prompts[i]!)),
    ...(hasPriorities && { priority: Int32Array.from(requests, (request) => request.priority) }),
  };
  const recoveries = replicas.map((_, replica) => ({
    kind: "recover" as const,
    atSeconds: 4,
    replica,
  }));
  return {
    replicas,
    workload,
    incidents: [
      ...incidents.map((incident) => ({
        ...incident,
        replica: incident.replica % replicas.length,
      })),
      ...recoveries,
    ],
    choices,
  };
});
