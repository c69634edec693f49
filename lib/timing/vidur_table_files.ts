/**
 * Reading the tables of Vidur's predictor.
 *
 * @module
 */
import { TraceError } from "../support/mod.ts";
import {
  type VidurGrid,
  type VidurOperation,
  vidurOperations,
  type VidurTables,
} from "./vidur_tables.ts";

/** Where the three tables of a run are: CSV, gzipped when the name ends in `.gz`. */
export interface VidurTableFiles {
  /** `num_tokens`, then one column an operation. */
  readonly compute: string;
  /** `batch_size, kv_cache_size, ms`. */
  readonly decode: string;
  /** `kv_cache_size, prefill_chunk_size, ms`. */
  readonly prefill: string;
}

/**
 * Reads the tables of one run.
 *
 * @param kvGranularityTokens Spacing of the KV sizes in the two attention tables.
 * @throws {TraceError} When a file cannot be read or is not a table of numbers with the expected
 *   columns.
 */
export async function readVidurTables(
  files: VidurTableFiles,
  kvGranularityTokens: number,
): Promise<VidurTables> {
  const compute = await readColumns(files.compute);
  const decode = await readColumns(files.decode);
  const prefill = await readColumns(files.prefill);
  const tokens = column(compute, files.compute, "num_tokens");
  const operations: Partial<Record<VidurOperation, Float64Array>> = {};
  for (const operation of vidurOperations) {
    const values = compute.get(operation);
    if (values !== undefined) operations[operation] = scatter(files.compute, tokens, values);
  }
  return {
    compute: operations,
    decode: toGrid(
      decode,
      files.decode,
      [
        "attn_decode",
        "batch_size",
        "kv_cache_size",
      ],
      1,
      kvGranularityTokens,
    ),
    prefill: toGrid(
      prefill,
      files.prefill,
      [
        "attn_prefill",
        "kv_cache_size",
        "prefill_chunk_size",
      ],
      kvGranularityTokens,
      1,
    ),
  };
}

/** Values by integer key, `NaN` where there is none. */
function scatter(file: string, keys: Float64Array, values: Float64Array): Float64Array {
  keys.forEach((key, i) => {
    if (!isIndex(key)) throw new TraceError(file, i + 2, `num_tokens is no integer >= 0: ${key}`);
  });
  const table = new Float64Array(maximum(keys) + 1).fill(NaN);
  keys.forEach((key, i) => table[key] = values[i]!);
  return table;
}

function isIndex(key: number): boolean {
  return Number.isInteger(key) && key >= 0;
}

function toGrid(
  columns: ReadonlyMap<string, Float64Array>,
  file: string,
  names: VidurGrid["names"],
  rowStep: number,
  columnStep: number,
): VidurGrid {
  const rowKeys = column(columns, file, names[1]);
  const columnKeys = column(columns, file, names[2]);
  const values = column(columns, file, "ms");
  const rows = Math.floor(maximum(rowKeys) / rowStep) + 1;
  const width = Math.floor(maximum(columnKeys) / columnStep) + 1;
  const milliseconds = new Float64Array(rows * width).fill(NaN);
  for (let i = 0; i < values.length; i++) {
    const row = rowKeys[i]! / rowStep;
    const cell = columnKeys[i]! / columnStep;
    if (!isIndex(row) || !isIndex(cell)) {
      throw new TraceError(
        file,
        i + 2,
        `keys are not multiples >= 0 of ${rowStep} and ${columnStep}`,
      );
    }
    milliseconds[row * width + cell] = values[i]!;
  }
  return { names, rowStep, columnStep, rows, columns: width, milliseconds };
}

function column(
  columns: ReadonlyMap<string, Float64Array>,
  file: string,
  name: string,
): Float64Array {
  const values = columns.get(name);
  if (values === undefined) throw new TraceError(file, 1, `no column ${name}`);
  return values;
}

function maximum(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

/** Columns of a CSV file of plain numbers, by name. */
async function readColumns(file: string): Promise<Map<string, Float64Array>> {
  const lines = (await readText(file)).split("\n");
  while (lines.length > 0 && lines[lines.length - 1]!.trim() === "") lines.pop();
  const names = (lines[0] ?? "").trim().split(",");
  const columns = names.map(() => new Float64Array(lines.length - 1));
  for (let i = 1; i < lines.length; i++) {
    const fields = lines[i]!.split(",");
    if (fields.length !== names.length) {
      throw new TraceError(file, i + 1, `expected ${names.length} fields, found ${fields.length}`);
    }
    for (let c = 0; c < fields.length; c++) {
      const value = Number(fields[c]);
      if (Number.isNaN(value) || fields[c]!.trim() === "") {
        throw new TraceError(file, i + 1, `${names[c]} is not a number: ${fields[c]}`);
      }
      columns[c]![i - 1] = value;
    }
  }
  return new Map(names.map((name, c) => [name, columns[c]!]));
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = (await Deno.open(file)).readable;
    const plain = file.endsWith(".gz") ? bytes.pipeThrough(new DecompressionStream("gzip")) : bytes;
    return await new Response(plain).text();
  } catch (error) {
    throw new TraceError(file, 0, `the file cannot be read (${(error as Error).message})`);
  }
}
