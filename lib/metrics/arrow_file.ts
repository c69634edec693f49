/**
 * Arrow IPC files (Feather 2), for readers that map files into memory.
 *
 * @module
 */
import { type Table, tableFromIPC, tableToIPC } from "apache-arrow";
import { writeFileAtomic } from "../support/mod.ts";
import { concatTables } from "./table_builder.ts";

/**
 * Writes a table as an Arrow IPC file, whole or not at all; the same rows give the same bytes.
 *
 * @param path Destination, usually `*.arrow`; its folder must exist.
 * @param table Table with columns of the types of {@linkcode ColumnType}.
 *
 * @example
 * ```ts
 * import { readArrow, tableFromRows, writeArrow } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * await writeArrow(`${folder}/a.arrow`, tableFromRows({ replica: "int32" }, [{ replica: 3 }]));
 * assert.deepEqual((await readArrow(`${folder}/a.arrow`)).get(0)?.toJSON(), { replica: 3 });
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeArrow(path: string, table: Table): Promise<void> {
  // Rebuilt, because an IPC file wants one dictionary a column and tables from Parquet have several.
  await writeFileAtomic(path, tableToIPC(concatTables([table]), "file"));
}

/** Reads an Arrow IPC file (or stream) into a table. */
export async function readArrow(path: string): Promise<Table> {
  return tableFromIPC(await Deno.readFile(path));
}
