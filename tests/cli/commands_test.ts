import assert from "node:assert/strict";
import { comparePresets, parseExperimentConfig } from "../../lib/config/mod.ts";
import { type operationsSchema, readParquet, rowsOf } from "../../lib/metrics/mod.ts";
import { withFolder } from "../_helpers.ts";
import { run } from "./_run.ts";

Deno.test("deno task config prints defaults, file and --set merged, weakest first", () =>
  withFolder(async (folder) => {
    const file = `${folder}/experiment.json`;
    await Deno.writeTextFile(file, JSON.stringify({ seed: 3, ppo: { epochs: 2, gamma: 0.5 } }));
    const { code, stdout } = await run("config", "--config", file, "--set", "ppo.gamma=0.75");
    assert.equal(code, 0);
    const expected = parseExperimentConfig({ seed: 3, ppo: { epochs: 2, gamma: 0.75 } });
    assert.deepEqual(JSON.parse(stdout), expected);
  }));

Deno.test("deno task config --schema prints every key with its default", async () => {
  const { code, stdout } = await run("config", "--schema");
  assert.equal(code, 0);
  const schema = JSON.parse(stdout);
  assert.deepEqual(
    Object.keys(schema.properties),
    ["preset", ...Object.keys(parseExperimentConfig({}))],
  );
  assert.equal(schema.properties.ppo.properties.gamma.default, 0.98);
  assert.match(schema.properties.ppo.properties.gamma.description, /document/);
});

Deno.test("deno task config --preset sets the defaults below the file, which may name it too", () =>
  withFolder(async (folder) => {
    const file = `${folder}/experiment.json`;
    await Deno.writeTextFile(file, JSON.stringify({ seed: 3, reward: { mode: "delta" } }));
    const { code, stdout } = await run("config", "--preset", "seed", "--config", file);
    assert.equal(code, 0);
    const expected = parseExperimentConfig({ preset: "seed", seed: 3, reward: { mode: "delta" } });
    assert.deepEqual(JSON.parse(stdout), expected);
    await Deno.writeTextFile(`${folder}/named.json`, '{"preset":"seed","seed":3}');
    const named = await run(
      "config",
      "--config",
      `${folder}/named.json`,
      "--set=reward.mode=delta",
    );
    assert.deepEqual(JSON.parse(named.stdout), expected);

    await Deno.writeTextFile(`${folder}/complete.json`, stdout);
    const cases: [string[], RegExp][] = [
      [["--preset=best"], /--preset .* argument 'best' is invalid.* default, seed/],
      [["--set=preset=seed"], /preset must be left out \(a preset is chosen by --preset/],
      [["--preset=seed", "--config", `${folder}/complete.json`], /open, it gives every key$/m],
      [["--preset=default", "--config", `${folder}/named.json`], /open, it names "seed"$/m],
    ];
    for (const [args, message] of cases) {
      const refused = await run("config", ...args);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, message);
    }
  }));

Deno.test("deno task config --presets prints a row for each key in which presets differ", async () => {
  const { code, stdout } = await run("config", "--presets");
  assert.equal(code, 0);
  const rows = stdout.trim().split("\n");
  assert.equal(rows.length, 2 + comparePresets().length);
  assert.match(stdout, /^\| `ppo\.gamma` \| 0\.98 \| 0\.95 \|/m);
  const shown = await Deno.readTextFile(new URL("../../docs/presets.md", import.meta.url));
  const cellsOf = (row: string) => row.split("|").map((cell) => cell.trim()).join("|");
  const documented = new Set(shown.split("\n").map(cellsOf));
  for (const row of rows.slice(2)) assert.ok(documented.has(cellsOf(row)), `docs lack ${row}`);
});

Deno.test("deno task config refuses what it cannot read with exit code 2", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/broken.json`, "{");
    await Deno.writeTextFile(`${folder}/unknown.json`, '{"ppo":{"clip":1}}');
    const cases: [string[], RegExp][] = [
      [["--config", `${folder}/none.json`], /none\.json: the file cannot be read/],
      [["--config", `${folder}/broken.json`], /broken\.json: it must be JSON/],
      [["--config", `${folder}/unknown.json`], /ppo\.clip must be left out \(unknown key\)/],
      [["--set", "seed=x"], /seed must be of type number, current value is "x"/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await run("config", ...args);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(stderr, /^error: [^\n]+\n$/);
      assert.match(stderr, message);
    }
  }));

Deno.test("deno task simulate prints a run and writes its requests", () =>
  withFolder(async (folder) => {
    const out = `${folder}/requests.parquet`;
    const args = ["--policy", "round_robin", "--requests", "40", "--seed", "2", "--out", out];
    const { code, stdout, stderr } = await run("simulate", ...args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /│ policy +│ round_robin +│/);
    assert.match(stdout, /│ replica shares +│ 0\.250 0\.250 0\.250 0\.250 │/);
    assert.equal((await readParquet(out)).numRows, 40);
    assert.equal((await run("simulate", ...args)).stdout, stdout, "same seed, same text");
  }));

Deno.test("deno task simulate says how many requests met their targets", async () => {
  const { code, stdout, stderr } = await run(
    "simulate",
    "--requests=30",
    "--slo-ttft=9",
    "--slo-e2e=0.0001",
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /│ ttft <= 9 s +│ 1 +│/);
  assert.match(stdout, /│ e2e <= 0.0001 s +│ 0 +│/);
  assert.match(stdout, /│ all targets met +│ 0 +│/);
  assert.doesNotMatch(stdout, /tpot <=/);
  for (const refused of ["0", "-1", "soon", ""]) {
    const { code, stderr } = await run("simulate", `--slo-tpot=${refused}`);
    assert.equal(code, 2);
    assert.match(stderr, /latency target: it must be seconds > 0, current value is "/);
  }
});

Deno.test("deno task simulate and compare judge requests by the targets of their classes", () =>
  withFolder(async (folder) => {
    const out = `${folder}/requests.parquet`;
    const classes = '--set=workload.classes=[{"name":"chat","share":1,"ttftSloSeconds":9},' +
      '{"name":"batch","share":1,"ttftSloSeconds":1e-9}]';
    const { code, stdout, stderr } = await run(
      "simulate",
      "--requests=40",
      classes,
      `--out=${out}`,
    );
    assert.equal(code, 0, stderr);
    // Of i x 0.618, i < 40, 21 fractions are below 1 / 2.
    assert.match(stdout, /│ ttft <= own target +│ 0\.52500 +│/);
    const met = (await readParquet(out)).getChild("meets_slo")!.toArray();
    assert.equal(Array.from(met).filter(Boolean).length, 21);
    const compared = await run(
      "compare",
      "--policies=random,least_outstanding",
      "--requests=40",
      "--seeds=1",
      classes,
    );
    assert.match(compared.stdout, /│ targets met │ goodput\/s │/);
    assert.match(compared.stdout, /│ random .*│ +52\.5 % │/);
  }));

Deno.test("deno task simulate refuses files it cannot write before it simulates", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "older");
    const cases: [string, RegExp][] = [
      [`--out=${folder}/none/a`, /Cannot write --out: .*there is no such folder/],
      [`--batches=${folder}`, /Cannot write --batches: .*it is a folder/],
      [`--chrome-trace=${folder}/file/a`, /Cannot write --chrome-trace: .* current value is "/],
    ];
    for (const [option, message] of cases) {
      // A million requests would take minutes.
      const { code, stdout, stderr } = await run("simulate", "--requests=1000000", option);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(stderr, /^error: [^\n]+\n$/);
      assert.match(stderr, message);
    }
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
  }));

Deno.test("deno task simulate and compare replay a trace too short to train on", () =>
  withFolder(async (folder) => {
    const trace = `${folder}/short.csv`;
    const rows = Array.from({ length: 100 }, (_, i) => `${i / 4},100,10`);
    await Deno.writeTextFile(
      trace,
      `arrived_at,num_prefill_tokens,num_decode_tokens\n${rows.join("\n")}\n`,
    );
    const simulated = await run("simulate", "--trace", trace);
    assert.equal(simulated.code, 0, simulated.stderr);
    assert.match(simulated.stdout, /│ requests +│ 30 /);
    const compared = await run("compare", "--trace", trace, "--policies=random,least_outstanding");
    assert.equal(compared.code, 0, compared.stderr);
    const trained = await run("train", "--trace", trace, "--out", `${folder}/run`);
    assert.equal(trained.code, 2);
    assert.match(trained.stderr, /^error: .*current value is 2000 \(training\.episodeRequests\)$/m);
  }));

Deno.test("commands refuse options that would be ignored, with exit code 2 and one line", async () => {
  const cases: [string, string[], RegExp][] = [
    ["simulate", ["--seed=1,2"], /--seed: it must be one integer >= 0, current value is "1,2"/],
    ["simulate", ["--dump-decisions=3"], /--dump-decisions must be given with --dump-state/],
    [
      "config",
      ["--schema", "--set=seed=1"],
      /nothing else must be given, current options are --set, --schema/,
    ],
    ["notebook", ["--out=unused"], /--out must be given with --execute/],
    ["golden", [], /missing required argument 'folder'/],
  ];
  for (const [command, args, message] of cases) {
    const { code, stdout, stderr } = await run(command, ...args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: [^\n]+\n$/);
    assert.match(stderr, message);
  }
});

Deno.test("deno task simulate --time-limit cuts the run off and counts what is unfinished", async () => {
  const { code, stdout, stderr } = await run("simulate", "--requests=100", "--time-limit=5");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /│ simulated seconds +│ 5\.00 +│/);
  assert.match(stdout, /│ unfinished +│ [1-9]\d +│/);
  const refused = await run("simulate", "--time-limit=0");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error: Cannot read --time-limit: [^\n]+ current value is "0"\n$/);
});

Deno.test("deno task simulate refuses requests that nobody can serve in one line", async () => {
  const cases: [string, RegExp][] = [
    ['cluster.replicas=[{"gpu":"a100","kvBlocks":9}]', /request \d+ must have at most 145 tokens/],
    ["workload.maxTokens=100", /prompt \+ output tokens must be <= 100/],
  ];
  for (const [assignment, message] of cases) {
    const { code, stdout, stderr } = await run("simulate", "--requests=50", "--set", assignment);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: [^\n]+\n$/);
    assert.match(stderr, message);
  }
});

Deno.test("deno task simulate writes batches and a timeline, and prints the use of each stage", () =>
  withFolder(async (folder) => {
    const file = `${folder}/batches.parquet`;
    const timeline = `${folder}/trace.json`;
    const { code, stdout, stderr } = await run(
      "simulate",
      "--requests=30",
      '--set=cluster.replicas=[{"gpu":"a100","pipelineStages":2},{"gpu":"h100"}]',
      `--batches=${file}`,
      `--chrome-trace=${timeline}`,
      "--operations",
      `--operations-out=${folder}/operations.parquet`,
      "--distributions",
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /│ time between tokens, s │ \d+ +│ 0\.\d+ /);
    assert.match(stdout, /│ 0 a100 +│ [\d.]+ % [\d.]+ % +│ [\d.]+ % [\d.]+ % +│/);
    assert.match(stdout, /│ 1 h100 +│ [\d.]+ % +│ [\d.]+ % +│/);
    assert.match(stdout, /│ seconds of │ matmul │ attention │/);
    assert.match(stdout, /│ 0 a100 +│ 1 +│ lm_head +│ \d+ +│ [\d.]+ +│ [\d.]+ +│ [\d.]+ % +│/);
    const spent = [...rowsOf<typeof operationsSchema>(
      await readParquet(`${folder}/operations.parquet`),
    )];
    const stages = new Set(spent.map(({ replica, stage }) => `${replica}/${stage}`));
    assert.deepEqual([...stages], ["0/0", "0/1", "1/0"]);
    const { numRows } = await readParquet(file);
    const { traceEvents } = JSON.parse(await Deno.readTextFile(timeline));
    const slices = traceEvents.filter((event: { ph: string }) => event.ph === "X");
    assert.equal(slices.length, numRows);
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    assert.deepEqual(
      names,
      ["batches.parquet", "operations.parquet", "trace.json"],
      "no temporary files are left",
    );
  }));

Deno.test("deno task capacity takes the requests' own targets for its objective", async () => {
  const task = ["--metric=slo_attainment", "--limit=0.8", "--requests=60"];
  const classes = '--set=workload.classes=[{"name":"chat","share":1,"ttftSloSeconds":0.5}]';
  const found = await run("capacity", ...task, classes, "--rate=1");
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout, /│ attainment there │/);
  assert.match(found.stdout, /│ configured │ +1\.000 │ +1\.000 │/);
  const refusals: [string[], RegExp][] = [
    [task, /slo\.metric must be one of scheduling_delay, .* without latency targets/],
    [[...task, "--quantile=0.5"], /slo\.quantile must be left out/],
  ];
  for (const [args, message] of refusals) {
    const { code, stdout, stderr } = await run("capacity", ...args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: [^\n]+\n$/);
    assert.match(stderr, message);
  }
});

Deno.test("deno task compare prints one line a policy and the difference to the reference", async () => {
  const { code, stdout, stderr } = await run(
    "compare",
    "--policies=round_robin,random",
    "--reference=round_robin",
    "--seeds=1,2",
    "--requests=40",
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /mean E2E vs round_robin \[95 %\]/);
  assert.match(stdout, /│ fairness │ share by replica/);
  assert.match(stdout, /│ round_robin .* reference │/);
  assert.match(stdout, /│ random .* [+-]?\d+\.\d % \[.*, .*\] │/);
});

Deno.test("deno task compare refuses unknown policies and missing checkpoints with exit code 2", async () => {
  const cases: [string, RegExp][] = [
    [
      "least_outstanding,lor",
      /one of lor_queue_only, random, .*or ppo:PATH, current value is "lor"/,
    ],
    ["ppo=/nonexistent/seed-*", /\/nonexistent\/seed-\* must match a file or folder/],
    ["ppo:", /it must be ppo:PATH or LABEL=PATH\+PATH, current value is "ppo:"/],
    ["least_outstanding,ppo:/nonexistent", /checkpoint \/nonexistent: it must exist/],
    ["random", /--reference must be one of --policies \(random\) that was not trained/],
  ];
  for (const [policies, message] of cases) {
    const { code, stderr } = await run("compare", "--policies", policies);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});
