import assert from "node:assert/strict";
import { type Finished, runScript } from "./_run.ts";
import { withFolder } from "../_helpers.ts";

function zeroShot(...args: readonly string[]): Promise<Finished> {
  return runScript("experiments/zero_shot.ts", ...args);
}

const SMALL = ["--split", "validation", "--seeds", "101", "--requests", "100"];

Deno.test("experiments/zero_shot.ts writes a row a cluster and says which were trained on", () =>
  withFolder(async (folder) => {
    const out = `${folder}/table.md`;
    const { code, stdout, stderr } = await zeroShot(
      ...[...SMALL, "--scenarios", "unseen_2,mixed,seen_2", "--out", out],
    );
    assert.equal(code, 0, stderr);
    const table = await Deno.readTextFile(out);
    assert.equal(stdout, `${table}\n`);
    const rows = table.trimEnd().split("\n").map((line) => line.slice(2, -2).split(" | "));
    assert.ok(rows.every(({ length }) => length === rows[0]!.length));
    assert.deepEqual(rows.slice(2).map((row) => row.slice(0, 3)), [
      ["`unseen_2`", "2", "no"],
      ["`mixed`", "4", "yes"],
      ["`seen_2`", "2", "yes"],
    ]);
    for (const row of rows.slice(2)) {
      for (const cell of row.slice(5)) assert.match(cell, /^\S+ % \[\S+, \S+\]$/);
    }
  }));

Deno.test("experiments/zero_shot.ts refuses what is not one trained policy in one line", async () => {
  const { code, stdout, stderr } = await zeroShot(...SMALL, "--policy", "random");
  assert.deepEqual([code, stdout], [2, ""]);
  assert.equal(
    stderr,
    "error: Cannot compare: --policy must be one trained policy, current value is random\n",
  );
});
