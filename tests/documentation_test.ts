/**
 * Every exported symbol says what it is.
 *
 * `deno doc --lint` also wants explicit types where a schema's inferred type is the point, and the
 * types of other packages re-exported; of its findings this test takes the missing comments.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

Deno.test("every exported symbol has a doc comment", async () => {
  const config: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(
    await Deno.readTextFile(join(root, "deno.json")),
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...Object.values(config.exports)],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.match(text, /private-type-ref|Checked/, "deno doc --lint did not run");
  const undocumented = [...text.matchAll(/error\[missing-jsdoc\][^\n]*\n\s*--> ([^\n]+)/g)]
    .map((match) => match[1]!);
  assert.deepEqual(undocumented, []);
});
