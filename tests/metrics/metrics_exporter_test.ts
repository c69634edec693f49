import {
  type ExportFormat,
  MetricsExporter,
  readParquet,
  type RowOf,
  rowsOf,
} from "@signalbox/signalbox/metrics";
import assert from "node:assert/strict";
import { withFolder } from "../_helpers.ts";

const TABLES = {
  decisions: {
    policy: "utf8?",
    update: "int32",
    value: "float64",
    mask: "float64[]",
    is_last: "bool",
  },
} as const;
type Row = RowOf<typeof TABLES.decisions>;

const BOTH: readonly ExportFormat[] = ["csv", "parquet"];

/** Rows of one update, with values that are easily mangled. */
function rowsOfUpdate(update: number, count = 3000): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    policy: [null, "", 'a "quoted", text\nof two lines', "NaN"][i % 4]!,
    update,
    value: [0.1 + 0.2, NaN, -Infinity, 5e-324, -0][i % 5]!,
    mask: i % 2 === 0 ? [1, NaN] : [],
    is_last: i === count - 1,
  }));
}

/** Every file below a folder. */
async function filesOf(folder: string, prefix = ""): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const entries = await Array.fromAsync(Deno.readDir(folder));
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (!isDirectory) files.set(prefix + name, await Deno.readFile(`${folder}/${name}`));
    else {
      const inner = await filesOf(`${folder}/${name}`, `${prefix}${name}/`);
      for (const [path, bytes] of inner) files.set(path, bytes);
    }
  }
  return files;
}

async function write(folder: string, updates: readonly number[], lastUpdate = 0): Promise<void> {
  const exporter = await MetricsExporter.open(TABLES, { folder, formats: BOTH, lastUpdate });
  for (const update of updates) await exporter.append("decisions", rowsOfUpdate(update));
  await exporter.close();
  await exporter.close();
}

Deno.test("MetricsExporter writes parts of 8,192 rows that hold every value as it was", () =>
  withFolder(async (folder) => {
    await write(folder, [1, 2, 3]);
    const parts = ["00000", "00001"].map((part) => `decisions/part-${part}.parquet`);
    assert.deepEqual([...(await filesOf(folder)).keys()], [...parts, "decisions.csv"]);
    const tables = await Promise.all(parts.map((part) => readParquet(`${folder}/${part}`)));
    assert.deepEqual(tables.map(({ numRows }) => numRows), [8192, 9000 - 8192]);
    const expected = [1, 2, 3].flatMap((update) => rowsOfUpdate(update))
      .map((row) => ({ ...row, mask: Float64Array.from(row.mask) }));
    assert.deepEqual(tables.flatMap((table) => [...rowsOf(table)]), expected);
  }));

Deno.test("MetricsExporter writes CSV cells that read back as the same value", () =>
  withFolder(async (folder) => {
    const exporter = await MetricsExporter.open(TABLES, { folder, formats: ["csv"] });
    await exporter.append("decisions", rowsOfUpdate(1, 5));
    await exporter.close();
    assert.equal(
      await Deno.readTextFile(`${folder}/decisions.csv`),
      [
        "policy,update,value,mask,is_last",
        ',1,0.30000000000000004,"[1,NaN]",false',
        '"",1,NaN,[],false',
        '"a ""quoted"", text\nof two lines",1,-Infinity,"[1,NaN]",false',
        "NaN,1,5e-324,[],false",
        ',1,-0,"[1,NaN]",true',
        "",
      ].join("\n"),
    );
  }));

Deno.test("MetricsExporter resumes to the bytes of a run that was not stopped", () =>
  withFolder(async (folder) => {
    const [whole, finished, killed] = ["whole", "finished", "killed"].map((n) => `${folder}/${n}`);
    await write(whole!, [1, 2, 3, 4, 5, 6]);
    const expected = await filesOf(whole!);
    for (const stop of [1, 2, 3, 5]) {
      // Closed after update 5, gone on with after an earlier one.
      await write(finished!, [1, 2, 3, 4, 5]);
      await write(finished!, [1, 2, 3, 4, 5, 6].slice(stop), stop);
      assert.deepEqual(await filesOf(finished!), expected);
      await Deno.remove(finished!, { recursive: true });
    }
    // Never closed, and stopped in the middle of a row and of a file.
    const exporter = await MetricsExporter.open(TABLES, { folder: killed!, formats: BOTH });
    for (const update of [1, 2, 3, 4]) {
      await exporter.append("decisions", rowsOfUpdate(update));
    }
    const csv = `${killed}/decisions.csv.partial`;
    await Deno.truncate(csv, (await Deno.stat(csv)).size - 7);
    await write(killed!, [3, 4, 5, 6], 2);
    assert.deepEqual(await filesOf(killed!), expected);
    await assert.rejects(exporter.close()); // gives its file back
  }));

Deno.test("MetricsExporter writes empty tables with their columns", () =>
  withFolder(async (folder) => {
    await write(folder, []);
    const table = await readParquet(`${folder}/decisions/part-00000.parquet`);
    assert.deepEqual([table.numRows, table.numCols], [0, 5]);
    assert.equal(
      await Deno.readTextFile(`${folder}/decisions.csv`),
      "policy,update,value,mask,is_last\n",
    );
  }));

Deno.test("MetricsExporter.open() begins anew whatever tables there were", () =>
  withFolder(async (folder) => {
    await write(folder, [1, 2, 3]);
    const others = { decisions: { update: "int32", entropy: "float64" } } as const;
    const exporter = await MetricsExporter.open(others, { folder, formats: BOTH });
    await exporter.append("decisions", [{ update: 1, entropy: 0.5 }]);
    await exporter.close();
    assert.deepEqual([...(await filesOf(folder)).keys()], [
      "decisions/part-00000.parquet",
      "decisions.csv",
    ]);
    const [row] = rowsOf(await readParquet(`${folder}/decisions/part-00000.parquet`));
    assert.deepEqual(row, { update: 1, entropy: 0.5 });
  }));

Deno.test("MetricsExporter.open() refuses tables that end too early and leaves them alone", async () => {
  for (const format of BOTH) {
    await withFolder(async (folder) => {
      const first = await MetricsExporter.open(TABLES, { folder, formats: [format] });
      await first.append("decisions", rowsOfUpdate(1, 10));
      await first.close();
      const before = await filesOf(folder);
      await assert.rejects(
        MetricsExporter.open(TABLES, { folder, formats: [format], lastUpdate: 2 }),
        {
          name: "UsageError",
          message:
            /^Cannot resume: .*decisions(\.csv)? must hold rows up to update 2, current last update is 1$/,
        },
      );
      assert.deepEqual(await filesOf(folder), before);
    });
  }
});

Deno.test("MetricsExporter.append() refuses a row that does not fit the columns", () =>
  withFolder(async (folder) => {
    const exporter = await MetricsExporter.open(TABLES, { folder, formats: ["parquet"] });
    const [row] = rowsOfUpdate(1, 1);
    await assert.rejects(exporter.append("decisions", [{ ...row!, update: 1.5 }]), {
      name: "RangeError",
      message: "Cannot append row: update must be a 32-bit integer, current value is 1.5",
    });
  }));

Deno.test("MetricsExporter.close() notices a file that somebody else has changed", () =>
  withFolder(async (folder) => {
    for (const format of BOTH) {
      const exporter = await MetricsExporter.open(TABLES, { folder, formats: [format] });
      await exporter.append("decisions", rowsOfUpdate(1, 10));
      if (format === "csv") {
        await Deno.writeTextFile(`${folder}/decisions.csv.partial`, "x,1\n", { append: true });
      } else {
        await Deno.copyFile(
          `${folder}/decisions/part-00000.parquet`,
          `${folder}/decisions/part-00001.parquet`,
        );
      }
      await assert.rejects(exporter.close(), { name: "TypeError", message: /^Cannot close / });
    }
  }));
