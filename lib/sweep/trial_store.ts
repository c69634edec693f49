/**
 * Finished trials on disk: a folder each, there whole or not at all.
 *
 * @module
 */

/** Prefix of folders that are still being written. */
const UNFINISHED = ".unfinished-";

/**
 * Makes `folder/<id>/` out of what `write` puts into the folder it is given: that one has a
 * temporary name until everything is written, so that a folder with a trial's id is always complete.
 *
 * @param folder The `trials` folder; must exist.
 * @param id Name of the new folder; must not exist yet.
 * @param write Writes files into the folder it is given.
 */
export async function saveTrial(
  folder: string,
  id: string,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const temporary = `${folder}/${UNFINISHED}${id}`;
  await Deno.remove(temporary, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(temporary);
  await write(temporary);
  await Deno.rename(temporary, `${folder}/${id}`);
}

/** Ids of the finished trials in a `trials` folder; none if the folder is absent. */
export async function finishedTrials(folder: string): Promise<Set<string>> {
  const ids = new Set<string>();
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isDirectory && !entry.name.startsWith(UNFINISHED)) ids.add(entry.name);
    }
  } catch (error) {
    ignoreMissing(error);
  }
  return ids;
}

/** Removes what an interrupted run left half-written. */
export async function removeUnfinished(folder: string): Promise<void> {
  const stale: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.startsWith(UNFINISHED)) stale.push(entry.name);
  }
  for (const name of stale) await Deno.remove(`${folder}/${name}`, { recursive: true });
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
