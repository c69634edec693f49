import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  appendUpdate,
  openScenario,
  rewindUpdates,
  TrainingRun,
  type UpdateRecord,
} from "../../lib/training/mod.ts";
import assert from "node:assert/strict";

/** Records of a real run, the last one with returns that do not vary in a rollout of no duration. */
async function createRecords(): Promise<UpdateRecord[]> {
  const config = parseExperimentConfig({
    policy: { kind: "mlp", hiddenSizes: [4] },
    training: { environments: 1, episodeRequests: 40 },
    ppo: { rolloutLength: 4, epochs: 1 },
  });
  const run = new TrainingRun(await openScenario(config), new Rng(1));
  const records = [1, 2, 3].map(() => run.update(3));
  run.dispose();
  const last = records.pop()!;
  const stats = { ...last.stats, explainedVariance: NaN };
  return [...records, { ...last, throughput: NaN, stats }];
}

async function withLog(
  body: (path: string, records: readonly UpdateRecord[]) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    const records = await createRecords();
    for (const record of records) appendUpdate(path, record);
    await body(path, records);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("rewindUpdates() reads what was appended, NaN included", async () => {
  await withLog(async (path, records) => {
    assert.deepEqual(await rewindUpdates(path, 3), records);
  });
});

Deno.test("rewindUpdates() cuts off later updates and half a line", async () => {
  await withLog(async (path, records) => {
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.slice(0, -20));
    assert.deepEqual(await rewindUpdates(path, 2), records.slice(0, 2));
    assert.equal(await Deno.readTextFile(path), text.split("\n", 2).map((l) => `${l}\n`).join(""));
    appendUpdate(path, records[2]!);
    assert.deepEqual(await rewindUpdates(path, 3), records);
  });
});

Deno.test("rewindUpdates() refuses a log with a hole", async () => {
  await withLog(async (path) => {
    const [first, , third] = (await Deno.readTextFile(path)).split("\n");
    await Deno.writeTextFile(path, `${first}\n${third}\n`);
    await assert.rejects(
      rewindUpdates(path, 2),
      { name: "UsageError", message: /^Cannot resume: line 2 of .* must hold update 2/ },
    );
    await assert.rejects(rewindUpdates(`${path}.none`, 1), {
      name: "UsageError",
      message: /^Cannot resume: .*\.none must exist$/,
    });
  });
});
