import type { StateDumpRecord } from "../../lib/training/mod.ts";
import assert from "node:assert/strict";
import { type Finished, run } from "./_run.ts";
import { withFolder } from "../_helpers.ts";

function simulate(...args: readonly string[]): Promise<Finished> {
  return run("simulate", "--requests", "30", ...args);
}

Deno.test("deno task simulate --dump-state writes the chosen decisions, one JSON object a line", () =>
  withFolder(async (folder) => {
    const path = `${folder}/state.ndjson`;
    const dumped = await simulate("--dump-state", path, "--dump-decisions", "3,20-21,500");
    assert.equal(dumped.code, 0, dumped.stderr);
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    const records = lines.map((line): StateDumpRecord => JSON.parse(line));
    assert.deepEqual(records.map(({ decision }) => decision), [3, 20, 21]);
    assert.ok(records.every(({ replicas }) => replicas.length === 4));
    await Deno.remove(path);
    const refused = await simulate("--dump-state", path, "--dump-decisions", "3,-1");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--dump-decisions must be integers >= 0 and ranges/);
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  }));
