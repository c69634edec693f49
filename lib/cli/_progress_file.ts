/** How far a training run is, for `deno task monitor`: `progress.json`. */
import { z } from "zod";
import { parseConfig, UsageError, writeFileAtomic } from "../support/mod.ts";

const progressSchema = z.strictObject({
  format: z.literal(1),
  /** A run that was killed stays "running"; that nobody holds the folder's lock gives it away. */
  status: z.enum(["running", "completed", "failed", "interrupted"]),
  /** What a failed run died of. */
  error: z.string().nullable(),
  update: z.int(),
  updateCount: z.int(),
  decisions: z.int(),
  decisionCount: z.int(),
  /** When the run began. */
  begunAt: z.iso.datetime(),
  /** When it was last resumed, or began, and the decisions that it had taken then. */
  resumedAt: z.iso.datetime(),
  resumedDecisions: z.int(),
  /** When this was written. */
  updatedAt: z.iso.datetime(),
});

/** Content of `progress.json`, like a sweep's manifest a file with wall-clock times. */
export type Progress = z.infer<typeof progressSchema>;

/** Where the progress of a run lies. */
export function progressFile(out: string): string {
  return `${out}/progress.json`;
}

/** Writes `progress.json`. */
export async function writeProgress(out: string, progress: Progress): Promise<void> {
  await writeFileAtomic(progressFile(out), `${JSON.stringify(progress, null, 2)}\n`);
}

/**
 * Reads `progress.json`; undefined when there is none.
 *
 * @throws {UsageError} When it is not JSON.
 * @throws {ConfigError} When it is of another version.
 */
export async function readProgress(out: string): Promise<Progress | undefined> {
  try {
    const text = await Deno.readTextFile(progressFile(out));
    return parseConfig(progressSchema, JSON.parse(text), progressFile(out));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof SyntaxError) {
      throw new UsageError(`Cannot read ${progressFile(out)}: it must be JSON (${error.message})`);
    }
    throw error;
  }
}
