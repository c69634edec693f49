import assert from "node:assert/strict";
import { TextFileWriter } from "../../lib/cli/_text_file_writer.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name);
}

Deno.test("TextFileWriter shows the whole text under its name only when it is closed", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/text`;
  const pieces = Array.from({ length: 5000 }, (_, i) => `piece ${i} äöü €\n`);
  {
    using writer = new TextFileWriter(path);
    for (const piece of pieces) writer.write(piece);
    assert.ok(!namesIn(folder).includes("text"));
    writer.close();
  }
  assert.equal(Deno.readTextFileSync(path), pieces.join(""));
  assert.deepEqual(namesIn(folder), ["text"]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("TextFileWriter leaves an older file alone and nothing behind when it is given up", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/text`;
  Deno.writeTextFileSync(path, "older");
  {
    using writer = new TextFileWriter(path);
    writer.write("newer");
  }
  assert.equal(Deno.readTextFileSync(path), "older");
  assert.deepEqual(namesIn(folder), ["text"]);
  Deno.removeSync(folder, { recursive: true });
});
