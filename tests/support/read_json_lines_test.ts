import assert from "node:assert/strict";
import { readJsonLines } from "../../lib/support/mod.ts";
import { withFolder } from "../_helpers.ts";
import { becomesClosed, canListOpenFiles, isOpen } from "./_open_files.ts";

/** All lines of a file with the given content. */
function readText(text: string): Promise<unknown[]> {
  return withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.jsonl`, text);
    return await Array.fromAsync(readJsonLines(`${folder}/a.jsonl`));
  });
}

Deno.test("readJsonLines() takes a byte order mark, any line ending and empty lines", async () => {
  assert.deepEqual(await readText('\ufeff{"a":1}\r\n\r\n2\n"x"'), [
    { line: 1, value: { a: 1 } },
    { line: 3, value: 2 },
    { line: 4, value: "x" },
  ]);
  assert.deepEqual(await readText(""), []);
});

Deno.test("readJsonLines() names the file and the line that is not JSON", async () => {
  await assert.rejects(readText("1\n{\n"), {
    name: "TraceError",
    line: 2,
    message: /\.jsonl, line 2: it is not JSON/,
  });
  await assert.rejects(Array.fromAsync(readJsonLines("/no/such/file")), {
    name: "TraceError",
    message: /^Cannot read \/no\/such\/file: the file cannot be read \(ENOENT/,
  });
});

Deno.test({
  name: "readJsonLines() closes a file that nobody reads to its end",
  ignore: !canListOpenFiles,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${await Deno.realPath(folder)}/a.jsonl`;
      await Deno.writeTextFile(path, "1\n".repeat(200_000));
      for await (const { value } of readJsonLines(path)) {
        assert.equal(value, 1);
        assert.ok(isOpen(path));
        break;
      }
      assert.ok(await becomesClosed(path));
    }),
});
