/**
 * The checkpoints of one run, in a folder.
 *
 * @module
 */
import { join } from "node:path";
import { writeFileAtomic } from "../../support/mod.ts";
import {
  type Checkpoint,
  type CheckpointSummary,
  decodeCheckpoint,
  decodeCheckpointSummary,
  encodeCheckpoint,
} from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint_error.ts";

/** `checkpoint_<update>.safetensors`, the number padded so that names sort. */
const FILE_NAME = /^checkpoint_(\d{8,})\.safetensors$/;

/** Header bytes that a file is searched for its summary in steps of. */
const HEADER_CHUNK_BYTES = 65_536;

/** A checkpoint file of a folder. */
export interface CheckpointEntry {
  /** The file. */
  readonly path: string;
  /** Updates done, from the file's name. */
  readonly update: number;
  /** What its header tells; undefined when it has no readable one. */
  readonly summary: CheckpointSummary | undefined;
  /** Why the header could not be read. */
  readonly problem: string | undefined;
}

/** What is kept of a run. */
export interface RetentionOptions {
  /** Newest checkpoints to keep, >= 1. */
  readonly keepLast: number;
}

/** A checkpoint that was read, and what was passed over on the way. */
export interface LoadedCheckpoint {
  /** The file. */
  readonly path: string;
  /** Its contents. */
  readonly checkpoint: Checkpoint;
  /** Newer files that cannot be used, with the reasons. */
  readonly skipped: readonly CheckpointError[];
}

/**
 * Writes a checkpoint into a folder (created if need be), whole or not at all, and then deletes all
 * but the newest `keepLast`, the one with the highest score, and files that cannot be read.
 *
 * @returns The new file.
 * @throws {RangeError} When `keepLast` is not an integer >= 1.
 */
export async function saveCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  { keepLast }: RetentionOptions,
): Promise<string> {
  if (!Number.isInteger(keepLast) || keepLast < 1) {
    throw new RangeError(
      `Cannot save a checkpoint: keepLast must be an integer >= 1, current value is ${keepLast}`,
    );
  }
  await Deno.mkdir(folder, { recursive: true });
  const number = String(checkpoint.update).padStart(8, "0");
  const path = join(folder, `checkpoint_${number}.safetensors`);
  await writeFileAtomic(path, encodeCheckpoint(checkpoint));
  const readable = (await listCheckpoints(folder)).filter(({ problem }) => problem === undefined);
  const best = bestOf(readable);
  for (const entry of readable.slice(0, -keepLast)) {
    if (entry !== best) await Deno.remove(entry.path);
  }
  return path;
}

/**
 * The checkpoints of a folder, oldest first; only headers are read.
 *
 * @returns Nothing when there is no such folder.
 */
export async function listCheckpoints(folder: string): Promise<CheckpointEntry[]> {
  const entries: CheckpointEntry[] = [];
  for (const name of await fileNames(folder)) {
    const update = FILE_NAME.exec(name)?.[1];
    if (update === undefined) continue;
    const path = join(folder, name);
    try {
      const summary = decodeCheckpointSummary(await readHeaderBytes(path), path);
      entries.push({ path, update: Number(update), summary, problem: undefined });
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      entries.push({ path, update: Number(update), summary: undefined, problem: error.reason });
    }
  }
  return entries.sort((a, b) => a.update - b.update);
}

/** The entry with the highest score, the newest of equals; undefined when none has a score. */
export function bestOf(entries: readonly CheckpointEntry[]): CheckpointEntry | undefined {
  let best: CheckpointEntry | undefined;
  for (const entry of entries) {
    const score = entry.summary?.score ?? null;
    if (score !== null && score >= (best?.summary?.score ?? -Infinity)) best = entry;
  }
  return best;
}

/**
 * Reads a checkpoint, or the newest one of a folder.
 *
 * @param path A file, or a folder as {@linkcode saveCheckpoint} fills it.
 * @param options.fallBack Of a folder, take the newest one that can be used, default false: when
 *   the newest cannot be used, that is an error.
 * @throws {CheckpointError} When there is none, it is truncated or altered, or of another version.
 */
export async function loadCheckpoint(
  path: string,
  { fallBack = false }: { readonly fallBack?: boolean } = {},
): Promise<LoadedCheckpoint> {
  const skipped: CheckpointError[] = [];
  for (const candidate of await candidates(path)) {
    try {
      const checkpoint = decodeCheckpoint(await Deno.readFile(candidate), candidate);
      return { path: candidate, checkpoint, skipped };
    } catch (error) {
      if (!fallBack || !(error instanceof CheckpointError)) throw error;
      skipped.push(error);
    }
  }
  const [newest] = skipped;
  throw newest ?? new CheckpointError(path, "there must be at least one checkpoint in this folder");
}

/** Files to try, newest first. */
async function candidates(path: string): Promise<string[]> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new CheckpointError(path, "it must exist", { cause });
  }
  if (!info.isDirectory) return [path];
  return (await listCheckpoints(path)).map((entry) => entry.path).reverse();
}

async function fileNames(folder: string): Promise<string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The beginning of a file, up to the end of its header (or of the file). */
async function readHeaderBytes(path: string): Promise<Uint8Array> {
  const file = await Deno.open(path);
  try {
    const chunk = new Uint8Array(HEADER_CHUNK_BYTES);
    const first = chunk.subarray(0, await readUpTo(file, chunk));
    if (first.length < 8) return first;
    const size = Number(new DataView(first.buffer).getBigUint64(0, true)) + 8;
    if (size <= first.length) return first;
    const { size: fileBytes } = await file.stat();
    const rest = new Uint8Array(Math.max(0, Math.min(size, fileBytes) - first.length));
    const restBytes = await readUpTo(file, rest);
    const bytes = new Uint8Array(first.length + restBytes);
    bytes.set(first);
    bytes.set(rest.subarray(0, restBytes), first.length);
    return bytes;
  } finally {
    file.close();
  }
}

/** Fills the array from the file as far as the file goes; returns the bytes read. */
async function readUpTo(file: Deno.FsFile, into: Uint8Array): Promise<number> {
  let count = 0;
  while (count < into.length) {
    const read = await file.read(into.subarray(count));
    if (read === null) break;
    count += read;
  }
  return count;
}
