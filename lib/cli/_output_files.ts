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
  const wanted = "a file in an existing folder that can be written to";
  const refuse = refusal(option, wanted, path);
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
  const refuse = refusal(option, "a new folder that can be created", path);
  if (kindOf(path) !== "missing") refuse("it exists already");
  probeAbove(path, refuse);
}

/**
 * Checks that files can be put into a folder: one that exists and can be written to, or that can be
 * created.
 *
 * @param options.empty Whether it must not hold anything.
 * @throws {UsageError} When it is a file, cannot be written to or created, or must be empty and is not.
 */
export function checkFolder(
  option: string,
  path: string,
  { empty }: { readonly empty: boolean },
): void {
  const wanted = empty ? "a new or empty folder" : "a folder";
  const refuse = refusal(option, `${wanted} that can be written to`, path);
  const kind = kindOf(path);
  if (kind === "other") refuse("it is a file");
  if (kind === "missing") return probeAbove(path, refuse);
  probe(path, refuse);
  if (empty && !Deno.readDirSync(path)[Symbol.iterator]().next().done) refuse("it is not empty");
}

/** How to refuse a path, with the reason. */
function refusal(option: string, wanted: string, path: string): (reason: string) => never {
  return (reason) => {
    throw new UsageError(
      `Cannot write ${option}: it must be ${wanted} (${reason}), current value is ${
        JSON.stringify(path)
      }`,
    );
  };
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

/** Tries to write to the nearest folder above a path that exists. */
function probeAbove(path: string, refuse: (reason: string) => never): void {
  let above = dirname(path);
  while (kindOf(above) === "missing") above = dirname(above);
  probe(above, refuse);
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
