import { parseExperimentConfig } from "../config/mod.ts";
import { isFolderLocked } from "../support/mod.ts";
import { trainingRow } from "../sweep/mod.ts";
import { readUpdates } from "../training/mod.ts";
import { readProgress } from "./_progress_file.ts";
import { trialOf } from "./_run_export.ts";
import { updateLog } from "./_run_files.ts";
import { type RunStatus, type UpdateRow, warningsOf } from "./_run_status.ts";

/** A run of `deno task train`; undefined when the folder holds none. */
export async function readTrainStatus(
  folder: string,
  now: number,
): Promise<RunStatus | undefined> {
  const progress = await readProgress(folder);
  if (progress === undefined) return undefined;
  const { error, update, updateCount, decisions, decisionCount } = progress;
  const isGone = progress.status === "running" && !(await isFolderLocked(folder));
  const status = isGone ? "interrupted" : progress.status;
  const begun = Date.parse(progress.resumedAt);
  const updated = Date.parse(progress.updatedAt);
  const taken = decisions - progress.resumedDecisions;
  const rate = taken > 0 ? taken / ((updated - begun) / 1000) : null;
  const updates = (await readRows(folder)).filter((row) => row.update <= update);
  return {
    command: "train",
    folder,
    status,
    error,
    unit: "updates",
    done: update,
    total: updateCount,
    decisions,
    decisionCount,
    decisionsPerSecond: rate,
    elapsedSeconds: ((status === "running" ? now : updated) - begun) / 1000,
    etaSeconds: status === "running" && rate !== null ? (decisionCount - decisions) / rate : null,
    updates,
    warnings: warningsOf(updates),
  };
}

/** The updates so far. */
async function readRows(folder: string): Promise<UpdateRow[]> {
  const records = await readUpdates(updateLog(folder));
  if (records.length === 0) return [];
  const config = parseExperimentConfig(
    JSON.parse(await Deno.readTextFile(`${folder}/config.json`)),
  );
  return records.map((record) => trainingRow(trialOf(config), record));
}
