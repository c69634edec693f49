import assert from "node:assert/strict";
import { run } from "./_run.ts";
import { withFolder } from "../_helpers.ts";

/** Four updates of a small policy, a checkpoint after each second one. */
const SMALL = [
  ...["training.environments=2", "training.decisions=64", "training.episodeRequests=40"],
  ...["ppo.rolloutLength=8", "evaluation.requests=50", 'policy={"kind":"mlp","hiddenSizes":[8]}'],
].flatMap((assignment) => ["--set", assignment]).concat("--checkpoint-every", "2", "--keep", "9");

/** Files of a folder and its tables, but not those that hold wall-clock times. */
async function filesOf(folder: string): Promise<Record<string, Uint8Array>> {
  const entries = await Array.fromAsync(walk(folder));
  const names = entries.map((path) => path.slice(folder.length + 1))
    .filter((name) => !/^(progress\.json|\.lock|tensorboard\/.*)$/.test(name));
  const files = names.sort().map(async (name) =>
    [name, await Deno.readFile(`${folder}/${name}`)] as const
  );
  return Object.fromEntries(await Promise.all(files));
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* walk(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

async function progressOf(out: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(`${out}/progress.json`));
}

Deno.test("deno task train --resume leaves the files that an uninterrupted run leaves", () =>
  withFolder(async (out) => {
    const whole = await run("train", "--out", out, ...SMALL, "--export", "both");
    assert.equal(whole.code, 0, whole.stderr);
    assert.equal(whole.stdout.match(/^update \d\/4 /gm)?.length, 4);
    const expected = await filesOf(out);
    assert.deepEqual(Object.keys(expected), [
      "checkpoint_00000002.safetensors",
      "checkpoint_00000004.safetensors",
      "config.json",
      "export/decisions.csv",
      "export/decisions/part-00000.parquet",
      "export/rollouts.csv",
      "export/rollouts/part-00000.parquet",
      "export/updates.csv",
      "export/updates/part-00000.parquet",
      "training.parquet",
      "updates.jsonl",
    ]);

    const { begunAt, updatedAt, resumedAt, ...progress } = await progressOf(out);
    assert.deepEqual(progress, {
      format: 1,
      status: "completed",
      error: null,
      update: 4,
      updateCount: 4,
      decisions: 64,
      decisionCount: 64,
      resumedDecisions: 0,
    });
    assert.equal(begunAt, resumedAt);
    assert.ok(Date.parse(String(updatedAt)) >= Date.parse(String(begunAt)));

    // As after a crash in the middle of update 4, which had begun to overwrite a checkpoint.
    await Deno.remove(`${out}/training.parquet`);
    const decisions = `${out}/export/decisions.csv`;
    await Deno.rename(decisions, `${decisions}.partial`);
    await Deno.truncate(`${decisions}.partial`, expected["export/decisions.csv"]!.length - 50);
    const newest = `${out}/checkpoint_00000004.safetensors`;
    await Deno.truncate(newest, 3000);
    const log = await Deno.readTextFile(`${out}/updates.jsonl`);
    await Deno.writeTextFile(`${out}/updates.jsonl`, log.slice(0, -100));

    const refused = await run("train", "--out", out, "--resume");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /Cannot use checkpoint .*00000004\.safetensors/);
    const csv = await run("train", "--out", out, "--resume", "--fall-back", "--export", "csv");
    assert.match(csv.stderr, /--export must be what the run began with \(csv and parquet\)/);
    const keep = ["--checkpoint-every", "2", "--keep", "9"];
    const resumed = await run("train", "--out", out, "--resume", "--fall-back", ...keep);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /^warning: Cannot use checkpoint .*00000004\.safetensors/m);
    assert.match(resumed.stdout, /^Resuming after update 2 from /m);
    assert.equal(resumed.stdout.match(/^update [34]\/4 /gm)?.length, 2);
    assert.deepEqual(await filesOf(out), expected);

    const other = await run("train", "--out", out, "--resume", "--set", "ppo.gamma=0.5");
    assert.equal(other.code, 2);
    assert.match(other.stderr, /ppo\.gamma must be 0\.\d+, as in the checkpoint/);
    assert.equal((await progressOf(out)).status, "completed", "a refused command changes nothing");
    assert.deepEqual(await filesOf(out), expected);
    const longer = await run("train", "--out", out, "--resume", "--set", "training.decisions=80");
    assert.equal(longer.code, 0, longer.stderr);
    assert.match(longer.stdout, /^update 5\/5 /m);
    assert.equal((await progressOf(out)).resumedDecisions, 64);
    const rows = await Deno.readTextFile(`${out}/export/updates.csv`);
    assert.equal(rows.trimEnd().split("\n").length, 1 + 5);

    // Four updates, two of them again after resuming, one more: a point each.
    const events = Object.values(await filesOf(`${out}/tensorboard`))
      .map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
    assert.equal(events.split("Training/PolicyLoss").length - 1, 4 + 2 + 1);
  }));

Deno.test("deno task train refuses options that do not go together", async () => {
  const cases: [string[], RegExp][] = [
    [["--out", "unused", "--fall-back"], /--fall-back must be given with --resume/],
    [
      ["--out", "unused", "--resume", "--config", "x.json"],
      /Cannot resume: --config must be left out, the checkpoint holds the experiment/,
    ],
    [["--out", "unused", "--resume", "--timer", "analytic"], /Cannot resume: --timer must be left/],
    [
      ["--out", "unused", "--resume", "--mixture", "mixed"],
      /Cannot resume: --mixture must be left/,
    ],
    [["--out", "README.md"], /Cannot write --out: .* a new or empty folder .*it is a file/],
    [
      ["--out", "no/such/folder", "--resume"],
      /Cannot use checkpoint no\/such\/folder: it must exist/,
    ],
    [["--out", "unused", "--keep", "0"], /--keep: it must be an integer >= 1/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run("train", ...args);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});

Deno.test("deno task train leaves a folder free when it ends before its first update", () =>
  withFolder(async (out) => {
    const { code, stderr } = await run("train", "--out", out, "--init", `${out}/none`, ...SMALL);
    assert.equal(code, 2);
    assert.match(stderr, /Cannot use checkpoint .*none: it must exist/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(out)), []);
    const unread = await run("train", "--out", `${out}/new`, "--trace", `${out}/none.csv`);
    assert.equal(unread.code, 2);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(out)), [], "no folder without a run");
  }));

Deno.test("deno task train refuses a folder that another process trains in", () =>
  withFolder(async (out) => {
    assert.equal((await run("train", "--out", out, ...SMALL)).code, 0);
    using lock = await Deno.open(`${out}/.lock`, { write: true });
    await lock.lock(true);
    const { code, stderr } = await run("train", "--out", out, "--resume");
    assert.equal(code, 2);
    assert.match(stderr, /another process is running there/);
  }));
