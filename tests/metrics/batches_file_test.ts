import { BatchesFile, BatchesTable, readParquet, writeParquet } from "@signalbox/signalbox/metrics";
import type { BatchRecord } from "@signalbox/signalbox/simulator";
import assert from "node:assert/strict";
import { withFolder } from "../_helpers.ts";

const GROUP_ROWS = 65_536;

/** The record of a batch whose every number tells its row. */
function recordOf(row: number): BatchRecord {
  return {
    batchIndex: row,
    replica: row % 4,
    stage: 0,
    formedSeconds: row / 8,
    startSeconds: row / 8 + 0.01,
    endSeconds: row / 8 + 0.1,
    requestCount: 1 + row % 7,
    requests: [],
    tokens: [],
    prefillTokens: row % 3,
    kvBlocksUsed: row % 100,
    shape: {
      requestCount: 1 + row % 7,
      totalTokens: row % 3 + 5,
      decodeCount: 5,
      decodeContextTokens: 0,
      maxDecodeContextTokens: 0,
      prefillCount: 0,
      prefillContextTokens: [],
      prefillChunkTokens: [],
    },
  };
}

for (const rows of [0, 3, GROUP_ROWS, 2 * GROUP_ROWS + 5]) {
  Deno.test(`BatchesFile writes the bytes of BatchesTable (${rows} rows) and leaves nothing else`, () =>
    withFolder(async (folder) => {
      const table = new BatchesTable();
      using file = new BatchesFile(`${folder}/file.parquet`);
      for (let row = 0; row < rows; row++) {
        table.onBatchStageEnd(recordOf(row));
        file.onBatchStageEnd(recordOf(row));
      }
      await file.close();
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["file.parquet"]);
      await writeParquet(`${folder}/table.parquet`, table.finish());
      const [written, expected] = ["file", "table"].map((name) =>
        Deno.readFileSync(`${folder}/${name}.parquet`)
      );
      assert.deepEqual(written, expected);
      const read = await readParquet(`${folder}/file.parquet`);
      assert.equal(read.numRows, rows);
      if (rows > 0) {
        const last = read.get(rows - 1)!.toJSON();
        assert.equal(last["batch"], rows - 1);
        assert.equal(last["end_seconds"], (rows - 1) / 8 + 0.1);
        assert.equal(last["decode_tokens"], 5);
      }
    }));
}

Deno.test("BatchesFile leaves an older file alone and nothing behind when it is given up", () =>
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/batches`, "older");
    {
      using file = new BatchesFile(`${folder}/batches`);
      file.onBatchStageEnd(recordOf(1));
    }
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["batches"]);
    assert.equal(Deno.readTextFileSync(`${folder}/batches`), "older");
    return Promise.resolve();
  }));
