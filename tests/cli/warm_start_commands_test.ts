import assert from "node:assert/strict";
import { join } from "node:path";
import { loadCheckpoint } from "../../lib/training/mod.ts";
import { run } from "./_run.ts";

function set(...assignments: readonly string[]): string[] {
  return assignments.flatMap((assignment) => ["--set", assignment]);
}

Deno.test("deno task demos, pretrain and train --init follow one another", async () => {
  const folder = await Deno.makeTempDir();
  const [demos, cloned, trained] = ["all/demos", "cloned", "trained"]
    .map((name) => join(folder, name)) as [string, string, string];
  try {
    const collected = await run(
      "demos",
      ...["collect", "--out", demos, "--routers", "least_outstanding,round_robin"],
      ...["--rates", "1,2", "--episodes", "1", "--requests", "60"],
      ...set('policy={"kind":"mlp","hiddenSizes":[8]}', "evaluation.requests=50"),
    );
    assert.equal(collected.code, 0, collected.stderr);
    assert.equal(collected.stdout.match(/^\d\/4 {2}.* 60 decisions$/gm)?.length, 4);

    const info = await run("demos", "info", demos);
    assert.match(info.stdout, /^240 decisions, 62 features \(layout signalbox/);
    assert.match(info.stdout, /round_robin +│ 2 +│ 1 +│ 60 +│ no +│ 25 25 25 25/);
    const list = await run("demos", "list", join(folder, "all"));
    assert.match(list.stdout, /240 decisions of least_outstanding, round_robin/);

    const pretrained = await run(
      "pretrain",
      ...["--data", demos, "--out", cloned, "--epochs", "2", "--weight", "round_robin=0.5"],
      ...["--router-temperature", "least_outstanding=0.5"],
    );
    assert.equal(pretrained.code, 0, pretrained.stderr);
    assert.equal(pretrained.stdout.match(/^epoch [12]\/2 .*tie-free/gm)?.length, 2);
    const report = JSON.parse(await Deno.readTextFile(join(cloned, "pretraining.json")));
    assert.deepEqual(
      [report.pretraining.weights, report.pretraining.temperatures],
      [{ round_robin: 0.5 }, { least_outstanding: 0.5 }],
    );
    assert.deepEqual(Object.keys(report.agreements), ["least_outstanding", "round_robin"]);
    const { checkpoint } = await loadCheckpoint(cloned);
    assert.deepEqual([checkpoint.update, checkpoint.training], [0, null]);

    const short = set("training.environments=2", "training.decisions=64", "ppo.rolloutLength=16");
    const warm = await run(
      "train",
      ...["--config", join(cloned, "config.json"), "--init", cloned, "--out", trained, ...short],
    );
    assert.equal(warm.code, 0, warm.stderr);
    assert.equal(warm.stdout.match(/^update [12]\/2 .*reference KL 0\.\d{4}/gm)?.length, 2);

    const refused = await run("train", "--init", cloned, "--out", join(folder, "other"), ...short);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^error: Cannot use checkpoint .* its policy\.kind must be /);

    const ignored = await run(
      "pretrain",
      ...["--data", demos, "--out", join(folder, "none"), "--preset", "seed"],
    );
    assert.equal(ignored.code, 2);
    assert.match(ignored.stderr, /^error: Cannot pretrain: --preset must be given with --config/);

    await Deno.truncate(join(demos, "demonstrations.parquet"), 50);
    const damaged = await run("pretrain", "--data", demos, "--out", join(folder, "none"));
    assert.equal(damaged.code, 2);
    assert.match(damaged.stderr, /^error: Cannot use demonstrations .*truncated or was altered/);
    const would = await run("demos", "clean", join(folder, "all"));
    assert.match(would.stdout, /^would delete .*\n1 to delete, 0 to keep; --yes deletes/);
    assert.ok((await Deno.stat(demos)).isDirectory);
    const cleaned = await run("demos", "clean", "--yes", join(folder, "all"));
    assert.match(cleaned.stdout, /^deleted /);
    await assert.rejects(Deno.stat(demos), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deno task demos and pretrain refuse what they cannot mean", async () => {
  const cases: ["demos" | "pretrain", string[], RegExp][] = [
    ["demos", [], /a sub-command must be given, one of collect, info, list, clean/],
    ["demos", ["collect", "--out", "unused", "--routers", "lor"], /router must be one of /],
    ["demos", ["collect", "--out", "unused", "--rates", "1,x"], /--rates: it must be numbers > 0/],
    ["demos", ["info", "no/such/folder"], /demonstrations\.json must exist/],
    [
      "pretrain",
      ["--data", "a", "--out", "b", "--epochs", "0"],
      /pretraining\.epochs must be >= 1/,
    ],
    [
      "pretrain",
      ["--data", "a", "--out", "b", "--weight", "x"],
      /--weight: it must be name=number/,
    ],
    ["pretrain", ["--data", "no/such", "--out", "b"], /demonstrations\.json must exist/],
    ["pretrain", ["--data", "a", "--out", "tests"], /Cannot write --out: .*it is not empty/],
    ["demos", ["collect", "--out", "README.md"], /Cannot write --out: .*it is a file/],
  ];
  for (const [command, args, message] of cases) {
    const { code, stderr } = await run(command, ...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
