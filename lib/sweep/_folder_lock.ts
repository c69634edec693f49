/** One process at a time in an output folder. */
import { UsageError } from "../support/mod.ts";

/**
 * Locks the `trials` folder for this process. The operating system gives the lock back when the
 * process ends, however it ends; the file itself stays.
 *
 * @returns Gives the lock back when disposed of.
 * @throws {UsageError} When another process holds the lock.
 */
export async function lockFolder(folder: string): Promise<Disposable> {
  const file = await Deno.open(`${folder}/.lock`, { create: true, write: true });
  if (await file.tryLock(true)) return { [Symbol.dispose]: () => file.close() };
  file.close();
  throw new UsageError(`Cannot write to ${folder}: another process is running this sweep`);
}
