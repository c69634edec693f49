import assert from "node:assert/strict";
import { finishedTrials, removeUnfinished, saveTrial } from "../../lib/sweep/trial_store.ts";
import { withFolder } from "../_helpers.ts";

Deno.test("saveTrial() leaves a folder that finishedTrials() lists, with the bytes given", () =>
  withFolder(async (folder) => {
    await saveTrial(folder, "b", (path) => Deno.writeTextFile(`${path}/trial.json`, "{}"));
    await saveTrial(folder, "a", (path) => Deno.writeTextFile(`${path}/trial.json`, "1"));
    assert.deepEqual(await finishedTrials(folder), new Set(["a", "b"]));
    assert.equal(await Deno.readTextFile(`${folder}/b/trial.json`), "{}");
  }));

Deno.test("saveTrial() leaves nothing that counts as finished when writing fails", () =>
  withFolder(async (folder) => {
    const failing = saveTrial(folder, "x", () => Promise.reject(new Error("disk full")));
    await assert.rejects(failing, /disk full/);
    assert.deepEqual(await finishedTrials(folder), new Set());
    await saveTrial(folder, "x", (path) => Deno.writeTextFile(`${path}/trial.json`, "{}"));
    assert.deepEqual(await finishedTrials(folder), new Set(["x"]));
  }));

Deno.test("finishedTrials() does not count what a killed run left behind", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/.unfinished-x`);
    await Deno.writeTextFile(`${folder}/.unfinished-x/trial.json`, "{");
    assert.deepEqual(await finishedTrials(folder), new Set());
    await saveTrial(folder, "x", (path) => Deno.writeTextFile(`${path}/trial.json`, "{}"));
    assert.deepEqual(await finishedTrials(folder), new Set(["x"]));
    await Deno.mkdir(`${folder}/.unfinished-y`);
    await removeUnfinished(folder);
    assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), ["x"]);
  }));

Deno.test("finishedTrials() of an absent folder is empty", async () => {
  assert.deepEqual(await finishedTrials("/nonexistent/trials"), new Set());
});
