import { readArrow, rowsOf } from "../metrics/mod.ts";
import { isFolderLocked, UsageError } from "../support/mod.ts";
import { parseManifest, type trainingTableSchema } from "../sweep/mod.ts";
import { type RunStatus, type UpdateRow, warningsOf } from "./_run_status.ts";

/** A run of `deno task sweep`; undefined when the folder holds none. */
export async function readSweepStatus(
  folder: string,
  now: number,
): Promise<RunStatus | undefined> {
  const path = `${folder}/manifest.json`;
  const text = await Deno.readTextFile(path).catch(undefinedIfMissing);
  if (text === undefined) return undefined;
  const manifest = parseManifest(text);
  if (manifest === undefined) {
    throw new UsageError(`Cannot monitor ${folder}: its manifest.json is not one of this version`);
  }
  const { trials, timings, failures, begunAt, resumedAt } = manifest;
  const status = manifest.status !== "running"
    ? manifest.status === "complete" ? "completed" : "failed"
    : await isFolderLocked(`${folder}/trials`)
    ? "running"
    : "interrupted";
  const decisionsOf = (chosen: readonly SweepTrial[]): number =>
    chosen.reduce((sum, { policy, config }) => {
      return policy === "ppo" ? sum + config.training.decisions : sum;
    }, 0);
  const planned = trials as unknown as readonly SweepTrial[];
  const finished = planned.filter(({ id }) => id in timings);
  const decisions = decisionsOf(finished);
  const updated = (await Deno.stat(path)).mtime?.getTime() ?? now;
  const begun = Date.parse(resumedAt.at(-1) ?? begunAt);
  const elapsedSeconds = ((status === "running" ? now : updated) - begun) / 1000;
  const decisionCount = decisionsOf(planned);
  // Of a resumed run nobody knows which trials are from before. What takes time is training; where
  // there is none, trials are alike.
  const isMeasurable = resumedAt.length === 0 && finished.length > 0;
  const share = decisionCount > 0 ? decisions / decisionCount : finished.length / trials.length;
  const measuredSeconds = (updated - begun) / 1000;
  const updates = await readLastCurve(folder, finished);
  return {
    command: "sweep",
    folder,
    status,
    error: failures.length === 0
      ? null
      : failures.map(({ trialId, message }) => `${trialId}: ${message}`).join("\n"),
    unit: "trials",
    done: finished.length,
    total: trials.length,
    decisions,
    decisionCount,
    decisionsPerSecond: isMeasurable && decisions > 0 ? decisions / measuredSeconds : null,
    elapsedSeconds,
    etaSeconds: status === "running" && isMeasurable && share > 0
      ? Math.max(0, measuredSeconds / share - elapsedSeconds)
      : null,
    updates,
    warnings: warningsOf(updates),
  };
}

/** What is read of a trial in a manifest. */
interface SweepTrial {
  readonly id: string;
  readonly policy: string;
  readonly config: { readonly training: { readonly decisions: number } };
}

/** The training curve of the learning trial that was saved last. */
async function readLastCurve(
  folder: string,
  trials: readonly SweepTrial[],
): Promise<UpdateRow[]> {
  let last: { readonly path: string; readonly time: number } | undefined;
  for (const { id, policy } of trials) {
    if (policy !== "ppo") continue;
    const path = `${folder}/trials/${id}/training.arrow`;
    const time = (await Deno.stat(path)).mtime?.getTime() ?? 0;
    if (last === undefined || time > last.time) last = { path, time };
  }
  if (last === undefined) return [];
  return [...rowsOf<typeof trainingTableSchema>(await readArrow(last.path))];
}

function undefinedIfMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
