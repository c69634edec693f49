import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { readCellComparison } from "../../lib/cli/_cell_task.ts";
import { finishStudy } from "../../lib/cli/_finish_study.ts";
import { readParquet, rowsOf } from "../../lib/metrics/mod.ts";
import { expandStudy } from "../../lib/study/mod.ts";
import { runTrials, type TrialReport } from "../../lib/sweep/mod.ts";
import { loadCheckpoint } from "../../lib/training/mod.ts";
import { tinyStudy } from "../study/_tiny_study.ts";
import { withFolder } from "../_helpers.ts";
import { run } from "./_run.ts";

/** Runs the tiny study, or the rest of it, and returns what `results.md` says. */
async function runTiny(out: string, jobs: number, resume = false): Promise<string> {
  const expanded = expandStudy(tinyStudy, { only: ["mixed"] });
  const { signal } = new AbortController();
  const { outputs, failures } = await runTrials(
    expanded.sweep,
    { out, jobs, resume },
    (finished) =>
      finishStudy(tinyStudy, expanded, finished, { out, jobs, signal, command: "tiny" }),
  );
  assert.deepEqual(failures, []);
  assert.deepEqual(outputs.failures, []);
  return outputs.text;
}

async function bytesOf(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

/** Everything that a study leaves and that does not depend on the wall clock. */
const REPEATABLE = [
  "results.md",
  "plots/against_reference.svg",
  "plots/against_best.svg",
  "plots/trade_off.svg",
  "plots/learning_by_decisions.svg",
  ...["mixed_50", "mixed_75"].flatMap((cell) =>
    ["comparison.json", "requests.parquet", "comparisons.parquet", "report.html"].map((file) =>
      `cells/${cell}/${file}`
    )
  ),
];

Deno.test("a study leaves the same bytes with any number of workers, and after an interruption", () =>
  withFolder(async (folder) => {
    const whole = `${folder}/whole`;
    const text = await runTiny(whole, 2);
    assert.equal(await Deno.readTextFile(`${whole}/results.md`), text);
    // As an interruption leaves it: half of the trials, and one of two comparisons.
    const other = `${folder}/other`;
    await cp(whole, other, { recursive: true });
    const { cells } = expandStudy(tinyStudy, { only: ["mixed"] });
    for (const { id } of cells[1]!.trials) {
      await Deno.remove(`${other}/trials/${id}`, { recursive: true });
    }
    await Deno.remove(`${other}/cells/mixed_75`, { recursive: true });
    await Deno.remove(`${other}/results.md`);
    assert.equal(await runTiny(other, 1, true), text);
    for (const file of REPEATABLE) {
      assert.equal(await bytesOf(`${other}/${file}`), await bytesOf(`${whole}/${file}`), file);
    }
    await checkContents(whole, text);
    await checkValidations(whole);
  }));

/** What is in `results.md` and in the tables. */
async function checkContents(out: string, text: string): Promise<void> {
  const { comparisons, againstBaselines } = await readCellComparison(`${out}/cells/mixed_75`);
  const policies = comparisons.map(({ policy }) => policy);
  const learned = ["ppo", "ppo (sampled)", "ppo early", "ppo early (sampled)"];
  assert.deepEqual(policies, [...tinyStudy.baselines, ...learned]);
  assert.deepEqual([...againstBaselines.keys()], tinyStudy.baselines);
  const table = await readParquet(`${out}/cells/mixed_75/requests.parquet`);
  // Four baselines, two seeds of one policy and one of another, each in two ways; two runs of 60.
  assert.equal(table.numRows, (4 + 2 * (2 + 1)) * 2 * 60);
  const rows = [...rowsOf(await readParquet(`${out}/cells/mixed_75/comparisons.parquet`))];
  assert.ok(
    rows.some(({ policy, baseline }) =>
      policy === "ppo early" && baseline === "speed_weighted_lor"
    ),
  );
  const ppo = comparisons.find(({ policy }) => policy === "ppo")!;
  const percent = (100 * ppo.e2eMean.relative.estimate).toFixed(1);
  const row = text.split("\n").find((line) => line.startsWith("| mixed 75 % | ppo | "));
  assert.ok(row !== undefined && text.includes(`${percent} % [`));
  assert.match(text, /^[0-2] of 2 targets reached\.$/m);
  assert.match(text, /^### Latency against first tokens, mixed 75 %$/m);
}

/** Each training says how it went on validation arrivals, when, and which policy it resulted in. */
async function checkValidations(out: string): Promise<void> {
  const { timings } = JSON.parse(await Deno.readTextFile(`${out}/manifest.json`));
  const { sweep } = expandStudy(tinyStudy, { only: ["mixed"] });
  for (const { id, policy } of sweep.trials) {
    if (policy !== "ppo") continue;
    const folder = `${out}/trials/${id}`;
    const report: TrialReport = JSON.parse(await Deno.readTextFile(`${folder}/trial.json`));
    assert.deepEqual(report.validations.map(({ update }) => update), [1, 2, 3, 4]);
    const costs = report.validations.map(({ costSeconds }) => costSeconds);
    const { checkpoint } = await loadCheckpoint(`${folder}/policy.safetensors`);
    assert.equal(checkpoint.update, 1 + costs.indexOf(Math.min(...costs)));
    const seconds: number[] = timings[id].validationSeconds;
    assert.equal(seconds.length, 4);
    assert.deepEqual(seconds, seconds.toSorted((a, b) => a - b));
    assert.ok(seconds.at(-1)! <= timings[id].seconds);
  }
}

Deno.test("deno task reproduce --dry-run says what it would run and for how long, and writes nothing", () =>
  withFolder(async (folder) => {
    const out = `${folder}/out`;
    const { code, stdout, stderr } = await run(
      "reproduce",
      "--dry-run",
      "--out",
      out,
      "--jobs",
      "4",
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^two_speed 90 %: 9 baselines, ppo x 5$/m);
    assert.match(stdout, /^\d+ trainings, \d+ decisions; .* About \d+ min with --jobs 4 /m);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("deno task reproduce refuses bad input with exit code 2 and one line, writing nothing", () =>
  withFolder(async (folder) => {
    const out = `${folder}/out`;
    await Deno.mkdir(`${folder}/used/sub`, { recursive: true });
    const cases: [string[], RegExp][] = [
      [["--quick"], /required option '--out <folder>' not specified/],
      [["--out", out, "--only", "mixed,slow"], /--only must be among .*, current value is slow/],
      [["--out", out, "--resume"], /it holds no manifest\.json/],
      [["--out", `${folder}/used`], /--out must be a new or empty folder/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await run("reproduce", ...args);
      assert.equal(code, 2, `${args}: ${stderr}`);
      assert.match(stderr, /^error: [^\n]+\n$/, "one line");
      assert.match(stderr, message);
      await assert.rejects(Deno.stat(out), Deno.errors.NotFound, `${args} wrote something`);
    }
  }));
