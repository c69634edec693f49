/** The recorded run `7b-tp1-pp1-sarathi`, made as long and as wide as a benchmark wants it. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readGoldenCase } from "../lib/cli/_golden_case.ts";
import type { ReplicaSpec } from "../lib/simulator/mod.ts";
import type { Workload } from "../lib/workload/mod.ts";

const FOLDER = fileURLToPath(
  new URL("../../shared/golden/vidur/7b-tp1-pp1-sarathi", import.meta.url),
);

/** Replicas of the recorded run. */
const RECORDED_REPLICAS = 4;

/** A cluster and what it serves. */
export interface GoldenScenario {
  readonly replicas: readonly ReplicaSpec[];
  readonly workload: Workload;
}

/** Whether the recorded run is there (it lies beside the repository). */
export const hasGolden: boolean = existsSync(FOLDER);

/**
 * Reads the recorded run once; the function returned repeats its 1,000 requests end to end up to
 * `requestCount`, and with more replicas lets them arrive faster in proportion.
 */
export async function loadGolden(): Promise<
  (requestCount: number, replicaCount?: number) => GoldenScenario
> {
  const golden = await readGoldenCase(FOLDER, new Map());
  const recorded = golden.workload;
  const spanSeconds = recorded.arrivalSeconds[recorded.count - 1]!;
  return (requestCount, replicaCount = RECORDED_REPLICAS) => {
    const speed = replicaCount / RECORDED_REPLICAS;
    const workload: Workload = {
      name: `${recorded.name} x ${requestCount / recorded.count}`,
      count: requestCount,
      arrivalSeconds: new Float64Array(requestCount),
      promptTokens: new Int32Array(requestCount),
      outputTokens: new Int32Array(requestCount),
    };
    for (let i = 0; i < requestCount; i++) {
      const row = i % recorded.count;
      const repeat = Math.floor(i / recorded.count);
      workload.arrivalSeconds[i] = (recorded.arrivalSeconds[row]! + repeat * spanSeconds) / speed;
      workload.promptTokens[i] = recorded.promptTokens[row]!;
      workload.outputTokens[i] = recorded.outputTokens[row]!;
    }
    return {
      workload,
      replicas: Array.from({ length: replicaCount }, () => golden.replicas[0]!),
    };
  };
}
