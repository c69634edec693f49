/**
 * The updates of a run as a text file, one JSON object a line.
 *
 * @module
 */
import { UsageError, writeFileAtomic } from "../support/mod.ts";
import type { UpdateRecord } from "./update_record.ts";

/** Appends one update. */
export function appendUpdate(path: string, record: UpdateRecord): void {
  Deno.writeTextFileSync(path, `${JSON.stringify(record)}\n`, { append: true });
}

/**
 * The updates of a run that may be going on: a line that is still being written is left out.
 *
 * @returns In order; none when there is no file.
 */
export async function readUpdates(path: string): Promise<UpdateRecord[]> {
  try {
    const lines = (await Deno.readTextFile(path)).split("\n").slice(0, -1);
    return lines.map(parseUpdate).filter((record) => record !== undefined);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * Reads the updates up to and including `lastUpdate` and cuts the file off after them, so that a
 * resumed run appends the rest. Lines after them, perhaps half written when the run was stopped, are
 * not looked at.
 *
 * @throws {UsageError} When the file or one of the updates is missing.
 */
export async function rewindUpdates(path: string, lastUpdate: number): Promise<UpdateRecord[]> {
  const lines = (await readText(path)).split("\n").slice(0, lastUpdate);
  const records = lines.map(parseUpdate);
  const wrong = records.findIndex((record, i) => record?.update !== i + 1);
  if (wrong >= 0 || records.length < lastUpdate) {
    const line = wrong >= 0 ? wrong + 1 : records.length + 1;
    throw new UsageError(
      `Cannot resume: line ${line} of ${path} must hold update ${line}, current value is ${
        JSON.stringify(lines[line - 1] ?? null)
      }`,
    );
  }
  await writeFileAtomic(path, lines.map((line) => `${line}\n`).join(""));
  return records as UpdateRecord[];
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError(`Cannot resume: ${path} must exist`, { cause });
  }
}

function parseUpdate(line: string): UpdateRecord | undefined {
  let record: UpdateRecord;
  try {
    record = JSON.parse(line);
  } catch {
    return undefined;
  }
  // The numbers that may be NaN, which JSON writes as null.
  const throughput = record.throughput ?? NaN;
  const explainedVariance = record.stats.explainedVariance ?? NaN;
  return { ...record, throughput, stats: { ...record.stats, explainedVariance } };
}
