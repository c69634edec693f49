/**
 * One process at a time in an output folder.
 *
 * @module
 */
import { UsageError } from "./errors.ts";

/**
 * Locks an output folder for this process. The operating system gives the lock back when the process
 * ends, however it ends; the file itself, `.lock`, stays.
 *
 * @param folder Folder, which must exist.
 * @returns Gives the lock back when disposed of.
 * @throws {UsageError} When another process holds the lock.
 *
 * @example
 * ```ts
 * import { isFolderLocked, lockFolder } from "@signalbox/signalbox/support";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   using _lock = await lockFolder(folder);
 *   assert.equal(await isFolderLocked(folder), true);
 * }
 * assert.equal(await isFolderLocked(folder), false);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function lockFolder(folder: string): Promise<Disposable> {
  const file = await Deno.open(lockFile(folder), { create: true, write: true });
  if (await file.tryLock(true)) return { [Symbol.dispose]: () => file.close() };
  file.close();
  throw new UsageError(`Cannot write to ${folder}: another process is running there`);
}

/** Whether a process holds the lock of a folder: one that was killed does not. */
export async function isFolderLocked(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(lockFile(folder));
    return !(await file.tryLock(false));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function lockFile(folder: string): string {
  return `${folder}/.lock`;
}
