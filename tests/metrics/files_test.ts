import {
  ParquetWriter,
  readArrow,
  readParquet,
  requestRows,
  requestsSchema,
  type RowOf,
  rowsOf,
  schemaOf,
  tableFromRows,
  type TableSchema,
  writeArrow,
  writeParquet,
} from "@signalbox/signalbox/metrics";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Table } from "apache-arrow";
import assert from "node:assert/strict";
import { withFolder } from "../_helpers.ts";

const schema = {
  policy: "dictionary",
  training_seed: "int64?",
  request: "int32",
  e2e_seconds: "float64?",
  note: "utf8",
  done: "bool",
  shares: "float64[]",
} as const satisfies TableSchema;

type Row = RowOf<typeof schema>;

/** Rows `[first, end)`; the policy changes every 30,000 rows, so that dictionaries grow. */
function makeRows(first: number, end: number): Row[] {
  return Array.from({ length: end - first }, (_, k) => {
    const i = first + k;
    return {
      policy: `policy ${Math.floor(i / 30_000)}`,
      training_seed: i % 2 === 0 ? null : 2 ** 40 + i,
      request: i,
      e2e_seconds: i % 3 === 0 ? null : i / 3,
      note: `été ${i % 5}`,
      done: i % 7 === 0,
      shares: Float64Array.of(i, 0.5),
    };
  });
}

/** Compares the number of rows and every 41st of them (deep comparison of all takes seconds). */
function assertSameRows(table: Table, expected: readonly Row[]): void {
  assert.equal(table.numRows, expected.length);
  let i = 0;
  for (const row of rowsOf<typeof schema>(table)) {
    if (i % 41 === 0) assert.deepEqual(row, expected[i]);
    i++;
  }
}

async function fileNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) names.push(entry.name);
  return names.sort();
}

Deno.test("writeParquet() and readParquet() keep rows, types and nulls over row groups", async () => {
  await withFolder(async (folder) => {
    const rows = makeRows(0, 140_000);
    await writeParquet(`${folder}/a.parquet`, tableFromRows(schema, rows));
    const read = await readParquet(`${folder}/a.parquet`);
    assert.deepEqual(schemaOf(read), schema);
    assertSameRows(read, rows);
  });
});

Deno.test("writeParquet() gives the same bytes however the rows were cut", async () => {
  await withFolder(async (folder) => {
    const whole = tableFromRows(schema, makeRows(0, 70_000));
    await writeParquet(`${folder}/whole.parquet`, whole);
    const parts = [[0, 10], [10, 66_000], [66_000, 70_000]] as const;
    await writeParquet(
      `${folder}/parts.parquet`,
      parts.map(([first, end]) => tableFromRows(schema, makeRows(first, end))),
    );
    await using writer = await ParquetWriter.create(`${folder}/streamed.parquet`, schema);
    for (const [first, end] of parts) await writer.append(makeRows(first, end));
    await writer.close();
    await writeParquet(`${folder}/again.parquet`, await readParquet(`${folder}/whole.parquet`));
    const bytes = await Deno.readFile(`${folder}/whole.parquet`);
    for (const name of ["parts", "streamed", "again"]) {
      assert.deepEqual(await Deno.readFile(`${folder}/${name}.parquet`), bytes, name);
    }
  });
});

Deno.test("ParquetWriter gives the same bytes row by row and in whole row groups of numbers", () =>
  withFolder(async (folder) => {
    const schema = { request: "int32", e2e_seconds: "float64" } as const;
    const rows = Array.from({ length: 2 * 65_536 + 1 }, (_, i) => ({
      request: i,
      e2e_seconds: i % 1000 / 7,
    }));
    await writeParquet(`${folder}/groups.parquet`, tableFromRows(schema, rows));
    await using writer = await ParquetWriter.create(`${folder}/rows.parquet`, schema);
    await writer.append(rows);
    await writer.close();
    const [groups, single] = ["groups", "rows"].map((name) =>
      Deno.readFileSync(`${folder}/${name}.parquet`)
    );
    assert.deepEqual(groups, single);
  }));

Deno.test("writeParquet() keeps the columns of a table without rows", async () => {
  await withFolder(async (folder) => {
    await writeParquet(`${folder}/empty.parquet`, tableFromRows(schema, []));
    const read = await readParquet(`${folder}/empty.parquet`);
    assert.deepEqual(schemaOf(read), schema);
    assert.equal(read.numRows, 0);
  });
});

Deno.test("Parquet files have native column types for DuckDB", async () => {
  await withFolder(async (folder) => {
    await writeParquet(`${folder}/a.parquet`, tableFromRows(schema, makeRows(0, 1000)));
    const connection = await (await DuckDBInstance.create()).connect();
    const described = await connection.runAndReadAll(
      `DESCRIBE SELECT * FROM read_parquet('${folder}/a.parquet')`,
    );
    const types = described.getRowObjectsJS().map((row) => [row.column_name, row.column_type]);
    assert.deepEqual(Object.fromEntries(types), {
      policy: "VARCHAR",
      training_seed: "BIGINT",
      request: "INTEGER",
      e2e_seconds: "DOUBLE",
      note: "VARCHAR",
      done: "BOOLEAN",
      shares: "DOUBLE[]",
    });
    const sums = await connection.runAndReadAll(
      `SELECT count(*) AS n, count(e2e_seconds) AS known, sum(request)::DOUBLE AS total,
              max(training_seed) AS seed, sum(shares[2]) AS halves, min(note) AS note
       FROM read_parquet('${folder}/a.parquet')`,
    );
    assert.deepEqual(sums.getRowObjectsJS(), [
      { n: 1000n, known: 666n, total: 499_500, seed: 2n ** 40n + 999n, halves: 500, note: "été 0" },
    ]);
    const groups = await connection.runAndReadAll(
      `SELECT DISTINCT compression, path_in_schema, encodings
       FROM parquet_metadata('${folder}/a.parquet') WHERE path_in_schema = 'e2e_seconds'`,
    );
    assert.deepEqual(groups.getRowObjectsJS(), [{
      compression: "ZSTD",
      path_in_schema: "e2e_seconds",
      encodings: "RLE, BYTE_STREAM_SPLIT",
    }]);
    connection.closeSync();
  });
});

Deno.test("the queries of requestsSchema derive times between arrivals, per token and over time", async () => {
  const source = await Deno.readTextFile(
    new URL("../../lib/metrics/requests_table.ts", import.meta.url),
  );
  const queries = source.match(/```sql\n([^`]*)```/)![1]!.replaceAll(/^ \* /gm, "").trim().split(
    ";",
  );
  const workload = {
    name: "two",
    count: 2,
    arrivalSeconds: Float64Array.of(1, 3),
    promptTokens: Int32Array.of(10, 20),
    outputTokens: Int32Array.of(4, 5),
  };
  const outcomes = {
    replica: Int32Array.of(0, 0),
    scheduledSeconds: Float64Array.of(2, 4),
    firstTokenSeconds: Float64Array.of(7, NaN),
    completedSeconds: Float64Array.of(9, NaN),
    executionSeconds: Float64Array.of(6, 1),
    modelExecutionSeconds: Float64Array.of(5, 1),
    preemptedSeconds: Float64Array.of(1, 0),
    restarts: Int32Array.of(0, 0),
  };
  await withFolder(async (folder) => {
    const path = `${folder}/requests.parquet`;
    // Two runs: what is derived must not reach from one into the other.
    const rows = [1, 2].flatMap((evaluationSeed) => [
      ...requestRows(
        { trialId: "t", policy: "p", trainingSeed: null, evaluationSeed },
        workload,
        outcomes,
      ),
    ]);
    await writeParquet(path, tableFromRows(requestsSchema, rows));
    const connection = await (await DuckDBInstance.create()).connect();
    const read = async (query: string) =>
      (await connection.runAndReadAll(query.replace("requests.parquet", path))).getRowObjectsJS();
    const [gaps, perToken, completions, ...rest] = queries;
    assert.deepEqual(rest, [""]);
    const run = [{ request: 0, inter_arrival_seconds: null }, {
      request: 1,
      inter_arrival_seconds: 2,
    }];
    assert.deepEqual(await read(gaps!), [...run, ...run]);
    assert.deepEqual((await read(perToken!)).slice(0, 2), [{
      request: 0,
      pd_ratio: 2.5,
      e2e_per_token: 2,
      execution_per_token: 1.5,
      model_execution_per_token: 1.25,
      execution_preempted_per_token: 1.75,
      prefill_per_token: 0.5,
      decode_per_token: 0.5,
    }, {
      request: 1,
      pd_ratio: 4,
      e2e_per_token: null,
      execution_per_token: 0.2,
      model_execution_per_token: 0.2,
      execution_preempted_per_token: 0.2,
      prefill_per_token: null,
      decode_per_token: null,
    }]);
    assert.deepEqual(await read(completions!), [
      { completed_seconds: 9, completed: 1n },
      { completed_seconds: 9, completed: 1n },
    ]);
    connection.closeSync();
  });
});

Deno.test("ParquetWriter leaves nothing behind, and an older file alone, when it is aborted", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.parquet`, "older");
    await assert.rejects(async () => {
      await using writer = await ParquetWriter.create(`${folder}/a.parquet`, { x: "int32" });
      await writer.append(Array.from({ length: 100_000 }, (_, x) => ({ x })));
      await writer.append([{ x: 0.5 }]);
    }, /x must be a 32-bit integer, current value is 0.5/);
    assert.deepEqual(await fileNames(folder), ["a.parquet"]);
    assert.equal(await Deno.readTextFile(`${folder}/a.parquet`), "older");
  });
});

Deno.test("ParquetWriter refuses rows after it was closed and tables with other columns", async () => {
  await withFolder(async (folder) => {
    const writer = await ParquetWriter.create(`${folder}/a.parquet`, { x: "int32" });
    await assert.rejects(() => writer.appendTable(tableFromRows({ y: "int32" }, [])), {
      name: "TypeError",
      message:
        "Cannot join tables: table must have the columns (x: int32), current columns are (y: int32)",
    });
    await writer.close();
    await assert.rejects(
      () => writer.append([{ x: 1 }]),
      /the writer must be open, current state is closed/,
    );
    assert.deepEqual(await fileNames(folder), ["a.parquet"]);
  });
});

Deno.test("writeParquet() refuses to write no table and a folder that is not there", async () => {
  await withFolder(async (folder) => {
    await assert.rejects(() => writeParquet(`${folder}/a.parquet`, []), {
      name: "RangeError",
      message: /tables must hold at least one table, current length is 0/,
    });
    await assert.rejects(
      () => writeParquet(`${folder}/missing/a.parquet`, tableFromRows({ x: "int32" }, [])),
      Deno.errors.NotFound,
    );
    assert.deepEqual(await fileNames(folder), []);
  });
});

Deno.test("writeArrow() and readArrow() keep rows; equal rows give equal bytes", async () => {
  await withFolder(async (folder) => {
    const rows = makeRows(29_000, 100_000);
    const table = tableFromRows(schema, rows);
    await writeArrow(`${folder}/a.arrow`, table);
    await writeParquet(`${folder}/a.parquet`, table);
    await writeArrow(`${folder}/b.arrow`, await readParquet(`${folder}/a.parquet`));
    assert.deepEqual(
      await Deno.readFile(`${folder}/a.arrow`),
      await Deno.readFile(`${folder}/b.arrow`),
    );
    assertSameRows(await readArrow(`${folder}/a.arrow`), rows);
  });
});
