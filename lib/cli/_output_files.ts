/** Refusing output paths before anything runs. */
import { basename, dirname, join } from "node:path";
import { UsageError } from "../support/mod.ts";

/**
 * Checks that a file can be written, by creating and removing a temporary one beside it.
 *
 * @param option The option that names the file, for the error.
 * @throws {UsageError} When its folder does not exist or cannot be written to, or it is a folder.
 */
export function checkOutputFile(option: string, path: string): void {
  const refuse = (reason: string): never => {
    throw new UsageError(
      `Cannot write ${option}: it must be a file in an existing folder that can be written to ` +
        `(${reason}), current value is ${JSON.stringify(path)}`,
    );
  };
  if (kindOf(path) === "folder" || basename(path) === "") refuse("it is a folder");
  if (kindOf(dirname(path)) === "missing") refuse("there is no such folder");
  probe(dirname(path), refuse);
}

/**
 * Checks that a folder can be created: that it does not exist, and that the nearest folder above it
 * that does can be written to.
 *
 * @throws {UsageError} When it exists or cannot be created.
 */
export function checkNewFolder(option: string, path: string): void {
  const refuse = (reason: string): never => {
    throw new UsageError(
      `Cannot write ${option}: it must be a new folder that can be created (${reason}), ` +
        `current value is ${JSON.stringify(path)}`,
    );
  };
  if (kindOf(path) !== "missing") refuse("it exists already");
  let above = dirname(path);
  while (kindOf(above) === "missing") above = dirname(above);
  probe(above, refuse);
}

function kindOf(path: string): "folder" | "other" | "missing" {
  try {
    return Deno.statSync(path).isDirectory ? "folder" : "other";
  } catch (error) {
    // What may not be looked at may not be written to: the probe says why.
    return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory
      ? "missing"
      : "other";
  }
}

/** Tries to write to a folder. */
function probe(folder: string, refuse: (reason: string) => never): void {
  const path = join(folder, `.${Deno.pid}.probe.tmp`);
  try {
    Deno.writeFileSync(path, new Uint8Array(0), { createNew: true });
    Deno.removeSync(path);
  } catch (error) {
    refuse((error as Error).message);
  }
}
