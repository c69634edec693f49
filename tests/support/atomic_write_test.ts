import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFileAtomic } from "../../lib/support/mod.ts";

Deno.test("writeFileAtomic() replaces a file whole and leaves nothing else behind", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "result.json");
  await writeFileAtomic(path, "first, which is longer");
  await writeFileAtomic(path, "second");
  assert.equal(await Deno.readTextFile(path), "second");
  await writeFileAtomic(path, new Uint8Array([0, 255]));
  assert.deepEqual(await Deno.readFile(path), new Uint8Array([0, 255]));
  assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), ["result.json"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("writeFileAtomic() leaves the old file and no temporary one when it fails", async () => {
  const folder = await Deno.makeTempDir();
  const occupied = join(folder, "result.json");
  await Deno.mkdir(occupied);
  await assert.rejects(() => writeFileAtomic(occupied, "text"));
  assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), ["result.json"]);
  await Deno.remove(folder, { recursive: true });
});
