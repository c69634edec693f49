/**
 * Files that decide what trials compute, beside their configurations.
 *
 * @module
 */
import type { ExperimentConfig } from "../config/mod.ts";
import { CheckpointError, loadCheckpoint } from "../training/mod.ts";

/**
 * SHA-256 of the traces, timing profiles and policies to begin with that experiments read, by path.
 * A policy that cannot be read is left out: the trials that need it say so.
 */
export async function hashInputs(
  configs: readonly ExperimentConfig[],
): Promise<Record<string, string>> {
  const paths = new Set(configs.flatMap(namedFiles));
  for (const policy of new Set(configs.map(({ training }) => training.initialPolicy))) {
    const path = policy === null ? undefined : await newestCheckpoint(policy);
    if (path !== undefined) paths.add(path);
  }
  const hashes: Record<string, string> = {};
  for (const path of paths) {
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
    hashes[path] = new Uint8Array(digest).toHex();
  }
  return hashes;
}

/** Traces and timing profiles, those of a training mixture too. */
function namedFiles({ cluster, workload, training: { mixture } }: ExperimentConfig): string[] {
  const clusters = [cluster, ...mixture.map((entry) => entry.cluster ?? cluster)];
  const workloads = [workload, ...mixture.map((entry) => entry.workload ?? workload)];
  const timers = clusters.flatMap(({ timer, replicas }) => [
    timer,
    ...replicas.flatMap((group) => group.timer ?? []),
  ]);
  return [
    ...workloads.flatMap((each) => each.kind === "trace" ? each.path : []),
    ...timers.flatMap((timer) => timer.kind === "analytic" ? [] : timer.files ?? []),
  ];
}

async function newestCheckpoint(path: string): Promise<string | undefined> {
  try {
    return (await loadCheckpoint(path)).path;
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}
