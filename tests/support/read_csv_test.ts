import assert from "node:assert/strict";
import { type CsvOptions, type CsvRecord, readCsvRecords } from "../../lib/support/mod.ts";
import { withFolder } from "../_helpers.ts";
import { becomesClosed, canListOpenFiles, isOpen } from "./_open_files.ts";

/** All records of a file with the given content. */
function readText(text: string, options: CsvOptions = {}): Promise<CsvRecord[]> {
  return withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.csv`, text);
    return await Array.fromAsync(readCsvRecords(`${folder}/a.csv`, options));
  });
}

Deno.test("readCsvRecords() takes a byte order mark, any line ending, quotes and uneven records", async () => {
  assert.deepEqual(await readText('\ufeffa,b\r\n"x ""y"", z", 2\r\n3\r\n'), [
    { line: 1, fields: ["a", "b"] },
    { line: 2, fields: ['x "y", z', " 2"] },
    { line: 3, fields: ["3"] },
  ]);
  assert.deepEqual(await readText("a, 2 \n", { trim: true }), [{ line: 1, fields: ["a", "2"] }]);
  assert.deepEqual(await readText(""), []);
});

Deno.test("readCsvRecords() names the file and what is wrong with it", async () => {
  await assert.rejects(readText('a\n"b\n'), {
    name: "TraceError",
    message: /a\.csv.*: Quote Not Closed/,
  });
  await assert.rejects(Array.fromAsync(readCsvRecords("/no/such/file")), {
    name: "TraceError",
    message: /^Cannot read \/no\/such\/file: the file cannot be read \(ENOENT/,
  });
});

Deno.test({
  name: "readCsvRecords() closes a file that nobody reads to its end",
  ignore: !canListOpenFiles,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${await Deno.realPath(folder)}/a.csv`;
      await Deno.writeTextFile(path, "1,2\n".repeat(200_000));
      for await (const { fields } of readCsvRecords(path)) {
        assert.deepEqual(fields, ["1", "2"]);
        assert.ok(isOpen(path));
        break;
      }
      assert.ok(await becomesClosed(path));
    }),
});
