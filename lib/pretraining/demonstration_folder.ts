/**
 * Datasets of demonstrations on disk: one folder each.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readParquet, type RowOf, rowsOf, schemaOf, type TableSchema } from "../metrics/mod.ts";
import { parseConfig } from "../support/mod.ts";
import { DemonstrationError } from "./demonstration_error.ts";
import { type DemonstrationManifest, manifestSchema } from "./manifest.ts";

/** Name of the file with the decisions. */
export const TABLE_FILE = "demonstrations.parquet";

/** Name of the file with the manifest. */
export const MANIFEST_FILE = "demonstrations.json";

/** Files of a dataset, those left by a collection that was killed included. */
const DATASET_FILE = /^demonstrations\.(?:parquet|json)(?:\.\d+\.tmp)?$/;

/**
 * Columns of the table, one row a decision, in the order of the manifest's episodes. Observations
 * are raw, not normalised; `action_mask` is 1 where a replica could be chosen; `scores` are the
 * router's costs (lower is better, infinite where a replica could not be chosen), null where the
 * router has none.
 */
export const demonstrationColumns = {
  episode: "int32",
  router: "dictionary",
  rate_scale: "float64",
  observation: "float64[]",
  action_mask: "float64[]",
  action: "int32",
  scores: "float64[]?",
} as const satisfies TableSchema;

/** A row of the table. */
export type DemonstrationRow = RowOf<typeof demonstrationColumns>;

/** A dataset in memory; R decisions, D features, A replicas. */
export interface Demonstrations {
  /** What it says of itself. */
  readonly manifest: DemonstrationManifest;
  /** First row of every episode. */
  readonly episodeRows: readonly number[];
  /** `[R, D]`, raw. */
  readonly observations: Float32Array;
  /** `[R, A]`, 1 = could be chosen. */
  readonly actionMasks: Uint8Array;
  /** `[R]`. */
  readonly actions: Int32Array;
  /** `[R, A]`, lower is better; NaN where the router has none. */
  readonly scores: Float64Array;
}

/** A folder that holds a dataset or what is left of one. */
export interface DemonstrationFolder {
  /** The folder. */
  readonly path: string;
  /** Its files. */
  readonly files: readonly string[];
  /** Bytes of its files. */
  readonly sizeBytes: number;
  /** What it says of itself; undefined when it cannot be used. */
  readonly manifest: DemonstrationManifest | undefined;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
}

/**
 * Reads a dataset's manifest and checks the table's bytes against it.
 *
 * @throws {DemonstrationError} When a file is missing, altered or of another version.
 */
export async function readManifest(path: string): Promise<DemonstrationManifest> {
  let manifest: DemonstrationManifest;
  try {
    const text = new TextDecoder().decode(await readFile(path, MANIFEST_FILE));
    manifest = parseConfig(manifestSchema, JSON.parse(text));
  } catch (cause) {
    if (cause instanceof DemonstrationError) throw cause;
    throw new DemonstrationError(path, `${MANIFEST_FILE}: ${(cause as Error).message}`, { cause });
  }
  const actual = sha256(await readFile(path, TABLE_FILE));
  if (actual !== manifest.sha256) {
    throw new DemonstrationError(
      path,
      `the SHA-256 of ${TABLE_FILE} must be ${manifest.sha256}, current value is ${actual}: the ` +
        "file is truncated or was altered",
    );
  }
  return manifest;
}

/**
 * Reads a dataset.
 *
 * @throws {DemonstrationError} When a file is missing or altered, or the table is not what the
 *   manifest says.
 */
export async function readDemonstrations(path: string): Promise<Demonstrations> {
  const manifest = await readManifest(path);
  const table = await readParquet(join(path, TABLE_FILE));
  const { featureNames: { length: width }, replicaCount, decisionCount, episodes } = manifest;
  refuseDifference(path, "columns", {
    expected: Object.keys(demonstrationColumns).join(),
    actual: Object.keys(schemaOf(table)).join(),
  });
  refuseDifference(path, "rows", { expected: decisionCount, actual: table.numRows });
  const observations = new Float32Array(decisionCount * width);
  const actionMasks = new Uint8Array(decisionCount * replicaCount);
  const actions = new Int32Array(decisionCount);
  const scores = new Float64Array(decisionCount * replicaCount).fill(NaN);
  const episodeRows: number[] = [];
  let row = 0;
  for (const cells of rowsOf<typeof demonstrationColumns>(table)) {
    if (episodeRows.length === cells.episode) episodeRows.push(row);
    refuseDifference(path, `numbers in the observation of row ${row}`, {
      expected: width,
      actual: cells.observation.length,
    });
    refuseDifference(path, `numbers in the action mask of row ${row}`, {
      expected: replicaCount,
      actual: cells.action_mask.length,
    });
    observations.set(cells.observation, row * width);
    actionMasks.set(cells.action_mask, row * replicaCount);
    actions[row] = cells.action;
    if (cells.scores !== null) scores.set(cells.scores, row * replicaCount);
    row++;
  }
  refuseDifference(path, "episodes", { expected: episodes.length, actual: episodeRows.length });
  return { manifest, episodeRows, observations, actionMasks, actions, scores };
}

/** The datasets right below a folder, usable or not, by name. */
export async function listDemonstrations(parent: string): Promise<DemonstrationFolder[]> {
  const folders: DemonstrationFolder[] = [];
  for (const path of await childFolders(parent)) {
    const files = (await Array.fromAsync(Deno.readDir(path)))
      .filter(({ name, isFile }) => isFile && DATASET_FILE.test(name))
      .map(({ name }) => join(path, name)).sort();
    if (files.length === 0) continue;
    let sizeBytes = 0;
    for (const file of files) sizeBytes += (await Deno.stat(file)).size;
    try {
      const manifest = await readManifest(path);
      folders.push({ path, files, sizeBytes, manifest, problem: undefined });
    } catch (error) {
      if (!(error instanceof DemonstrationError)) throw error;
      folders.push({ path, files, sizeBytes, manifest: undefined, problem: error.reason });
    }
  }
  return folders;
}

/**
 * Deletes a dataset's files, and its folder when nothing else is in it.
 *
 * @returns Whether the folder is gone.
 */
export async function removeDemonstrations(folder: DemonstrationFolder): Promise<boolean> {
  for (const file of folder.files) await Deno.remove(file);
  const rest = await Array.fromAsync(Deno.readDir(folder.path));
  if (rest.length > 0) return false;
  await Deno.remove(folder.path);
  return true;
}

/** Lower-case hexadecimal SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function readFile(path: string, name: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(join(path, name));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new DemonstrationError(path, `${name} must exist`, { cause });
  }
}

async function childFolders(parent: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(parent));
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => join(parent, name))
      .sort();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new DemonstrationError(parent, "the folder must exist", { cause });
  }
}

function refuseDifference(
  path: string,
  what: string,
  { expected, actual }: { readonly expected: unknown; readonly actual: unknown },
): void {
  if (expected === actual) return;
  throw new DemonstrationError(
    path,
    `the ${what} must be ${expected}, as in ${MANIFEST_FILE}, current value is ${actual}`,
  );
}
