/**
 * Finished runs.
 *
 * @module
 */
import type { ExpandedSweep } from "./expand.ts";
import { parseManifest } from "./manifest.ts";

/**
 * The folder of the newest complete run of exactly this sweep: same trials, same configurations.
 *
 * @param parent Folder whose folders are searched, e.g. `runs`; it need not exist.
 * @returns A path that begins with `parent`; undefined when there is no such run.
 *
 * @example
 * ```ts
 * import { defineSweep, expandSweep, findRun } from "@signalbox/signalbox/sweep";
 * import assert from "node:assert/strict";
 *
 * const sweep = defineSweep({
 *   name: "never_run",
 *   description: "",
 *   base: {},
 *   grid: {},
 *   seeds: [1],
 *   baselines: ["least_outstanding"],
 * });
 * assert.equal(await findRun("runs", expandSweep(sweep)), undefined);
 * ```
 */
export async function findRun(
  parent: string,
  { hash }: Pick<ExpandedSweep, "hash">,
): Promise<string | undefined> {
  let newest: { readonly folder: string; readonly begunAt: string } | undefined;
  for (const folder of await foldersIn(parent)) {
    const text = await Deno.readTextFile(`${folder}/manifest.json`).catch(ignoreMissing);
    const manifest = text === undefined ? undefined : parseManifest(text);
    if (manifest?.hash !== hash || manifest.status !== "complete") continue;
    if (newest === undefined || manifest.begunAt > newest.begunAt) {
      newest = { folder, begunAt: manifest.begunAt };
    }
  }
  return newest?.folder;
}

async function foldersIn(parent: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(parent)).catch(ignoreMissing) ?? [];
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => `${parent}/${name}`);
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
