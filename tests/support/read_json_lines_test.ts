import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { readJsonLines } from "../../lib/support/mod.ts";

/** All lines of a file with the given content. */
async function readText(text: string): Promise<unknown[]> {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    await Deno.writeTextFile(path, text);
    return await Array.fromAsync(readJsonLines(path));
  } finally {
    await Deno.remove(path);
  }
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
  // Where a process can list its open files.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".jsonl" });
    const isOpen = (): boolean =>
      [...Deno.readDirSync("/proc/self/fd")].some(({ name }) => {
        try {
          return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
        } catch {
          return false; // the descriptor of this listing itself
        }
      });
    try {
      await Deno.writeTextFile(path, "1\n".repeat(200_000));
      for await (const { value } of readJsonLines(path)) {
        assert.equal(value, 1);
        assert.ok(isOpen());
        break;
      }
      // Closing takes a moment of the event loop.
      for (let turn = 0; turn < 500 && isOpen(); turn++) await delay(10);
      assert.ok(!isOpen());
    } finally {
      await Deno.remove(path);
    }
  },
});
