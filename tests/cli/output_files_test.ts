import assert from "node:assert/strict";
import { checkFolder } from "../../lib/cli/_output_files.ts";
import { withFolder } from "../_helpers.ts";

Deno.test("checkFolder() takes folders that are there or can be created, and leaves no trace", () =>
  withFolder((folder) => {
    for (const empty of [true, false]) {
      checkFolder("--out", folder, { empty });
      checkFolder("--out", `${folder}/new/below`, { empty });
    }
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    Deno.writeTextFileSync(`${folder}/file`, "");
    checkFolder("--out", folder, { empty: false });
  }));

Deno.test("checkFolder() refuses files, what lies below one, and folders in use, with the reason", () =>
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    const cases: [string, boolean, RegExp][] = [
      [folder, true, /--out: it must be a new or empty folder .*\(it is not empty\), current /],
      [`${folder}/file`, true, /new or empty folder that can be written to \(it is a file\)/],
      [`${folder}/file`, false, /: it must be a folder that can be written to \(it is a file\)/],
      [`${folder}/file/below`, false, /\(Not a directory/],
    ];
    for (const [path, empty, message] of cases) {
      const refusal = { name: "UsageError", message };
      assert.throws(() => checkFolder("--out", path, { empty }), refusal);
    }
  }));
