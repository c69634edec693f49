/** Runs by their folders. */
import { UsageError } from "../support/mod.ts";
import { progressFile } from "./_progress_file.ts";
import type { RunStatus } from "./_run_status.ts";
import { readSweepStatus } from "./_sweep_status.ts";
import { readTrainStatus } from "./_train_status.ts";

/**
 * Reads the state of a run from its folder.
 *
 * @param now Wall-clock time in ms.
 * @throws {UsageError} When the folder holds no run.
 */
export async function readRunStatus(folder: string, now: number): Promise<RunStatus> {
  const status = await readTrainStatus(folder, now) ?? await readSweepStatus(folder, now);
  if (status !== undefined) return status;
  throw new UsageError(
    `Cannot monitor ${folder}: it must be the output folder of deno task train or deno task sweep, it has neither progress.json nor manifest.json`,
  );
}

/**
 * The run below a folder that wrote last.
 *
 * @throws {UsageError} When there is none.
 */
export async function newestRun(parent: string): Promise<string> {
  let newest: { readonly folder: string; readonly time: number } | undefined;
  for (const folder of await foldersIn(parent)) {
    for (const file of [progressFile(folder), `${folder}/manifest.json`]) {
      const time = (await Deno.stat(file).catch(() => undefined))?.mtime?.getTime();
      if (time !== undefined && time > (newest?.time ?? -1)) newest = { folder, time };
    }
  }
  if (newest !== undefined) return newest.folder;
  throw new UsageError(
    `Cannot find a run: ${parent} holds none; give the folder that --out named`,
  );
}

async function foldersIn(parent: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(parent));
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => `${parent}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
