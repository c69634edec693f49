import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { tableFromRows, writeArrow } from "../../lib/metrics/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { isFolderLocked, lockFolder } from "../../lib/support/mod.ts";
import { trainingRow, trainingTableSchema } from "../../lib/sweep/mod.ts";
import { appendUpdate, openScenario, TrainingRun } from "../../lib/training/mod.ts";
import { newestRun, readRunStatus } from "../../lib/cli/_find_run.ts";
import { type Progress, writeProgress } from "../../lib/cli/_progress_file.ts";
import { Redrawing } from "../../lib/cli/_redrawing.ts";
import { trialOf } from "../../lib/cli/_run_export.ts";
import { readUpdatesInWords } from "../../lib/cli/_run_readings.ts";
import { statusLine, statusText } from "../../lib/cli/_run_status_text.ts";
import type { UpdateRow } from "../../lib/cli/_run_status.ts";
import assert from "node:assert/strict";
import { withFolder } from "../_helpers.ts";
import { run, taskCommand } from "./_run.ts";

const CONFIG = parseExperimentConfig({
  policy: { kind: "mlp", hiddenSizes: [4] },
  training: { environments: 1, episodeRequests: 40, statisticsStabilizationSteps: 0 },
  ppo: { rolloutLength: 8, epochs: 1 },
});

/** Three updates of a real run. */
const RECORDS = await (async () => {
  const run = new TrainingRun(await openScenario(CONFIG), new Rng(1));
  const records = [1, 2, 3].map(() => run.update(12));
  run.dispose();
  return records;
})();

const ROWS = RECORDS.map((record) => trainingRow(trialOf(CONFIG), record));

/** 24 of 96 decisions in 4 s. */
const PROGRESS: Progress = {
  format: 1,
  status: "running",
  error: null,
  update: 3,
  updateCount: 12,
  decisions: 24,
  decisionCount: 96,
  begunAt: "2026-01-01T00:00:00.000Z",
  resumedAt: "2026-01-01T00:00:10.000Z",
  resumedDecisions: 8,
  updatedAt: "2026-01-01T00:00:14.000Z",
};
const NOW = Date.parse("2026-01-01T00:00:16.000Z");

async function writeRun(folder: string, progress: Progress): Promise<void> {
  await writeProgress(folder, progress);
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(CONFIG));
  await Deno.remove(`${folder}/updates.jsonl`).catch(() => undefined);
  for (const record of RECORDS) appendUpdate(`${folder}/updates.jsonl`, record);
}

Deno.test("readRunStatus() measures pace since the run was resumed", () =>
  withFolder(async (folder) => {
    await writeRun(folder, PROGRESS);
    using _lock = await lockFolder(folder);
    const { updates, warnings, ...status } = await readRunStatus(folder, NOW);
    assert.deepEqual(status, {
      command: "train",
      folder,
      status: "running",
      error: null,
      unit: "updates",
      done: 3,
      total: 12,
      decisions: 24,
      decisionCount: 96,
      decisionsPerSecond: (24 - 8) / 4,
      elapsedSeconds: 6,
      etaSeconds: (96 - 24) / 4,
    });
    assert.deepEqual(updates, ROWS);
    assert.deepEqual(
      warnings.map(({ update, kind }) => `${update} ${kind}`),
      RECORDS.flatMap(({ update, warnings }) => warnings.map(({ kind }) => `${update} ${kind}`)),
    );
  }));

Deno.test("readRunStatus() calls a run interrupted when nobody holds its lock", () =>
  withFolder(async (folder) => {
    await writeRun(folder, PROGRESS);
    assert.equal((await readRunStatus(folder, NOW)).status, "interrupted");
    {
      using _lock = await lockFolder(folder);
      assert.equal((await readRunStatus(folder, NOW)).status, "running");
    }
    const { status, etaSeconds, elapsedSeconds } = await readRunStatus(folder, NOW + 1e6);
    assert.deepEqual([status, etaSeconds, elapsedSeconds], ["interrupted", null, 4]);
    for (const ended of ["completed", "failed"] as const) {
      await writeRun(folder, { ...PROGRESS, status: ended });
      assert.equal((await readRunStatus(folder, NOW)).status, ended);
    }
  }));

Deno.test("readRunStatus() leaves out a line that is being written", () =>
  withFolder(async (folder) => {
    await writeRun(folder, { ...PROGRESS, status: "completed" });
    await Deno.writeTextFile(`${folder}/updates.jsonl`, '{"update":4,"sta', { append: true });
    assert.equal((await readRunStatus(folder, NOW)).updates.length, 3);
  }));

Deno.test("readRunStatus() reads a sweep from its manifest and its last trial", () =>
  withFolder(async (folder) => {
    const trial = (id: string, policy: string) => ({ id, policy, config: CONFIG });
    const manifest = {
      format: 1,
      name: "three",
      description: "",
      hash: "0",
      status: "running",
      begunAt: "2026-01-01T00:00:00.000Z",
      resumedAt: [] as string[],
      versions: {},
      gitCommit: null,
      facts: {},
      inputs: {},
      axes: [],
      reference: "random",
      trials: [trial("a", "ppo"), trial("b", "random"), trial("c", "ppo"), trial("d", "ppo")],
      failures: [] as { trialId: string; message: string }[],
      timings: { a: { seconds: 9 }, b: { seconds: 1 } },
    };
    const path = `${folder}/manifest.json`;
    await Deno.writeTextFile(path, JSON.stringify(manifest));
    await Deno.utime(path, 0, Date.parse("2026-01-01T00:00:10.000Z") / 1000);
    await Deno.mkdir(`${folder}/trials/a`, { recursive: true });
    await writeArrow(
      `${folder}/trials/a/training.arrow`,
      tableFromRows(trainingTableSchema, ROWS),
    );
    {
      using _lock = await lockFolder(`${folder}/trials`);
      const status = await readRunStatus(folder, NOW);
      const { decisions } = CONFIG.training;
      assert.deepEqual({ ...status, updates: [], warnings: [] }, {
        command: "sweep",
        folder,
        status: "running",
        error: null,
        unit: "trials",
        done: 2,
        total: 4,
        decisions,
        decisionCount: 3 * decisions,
        decisionsPerSecond: decisions / 10,
        elapsedSeconds: 16,
        etaSeconds: 10 * 3 - 16, // one of three learning trials took 10 s
        updates: [],
        warnings: [],
      });
      assert.equal(status.updates.at(-1)?.entropy, ROWS.at(-1)!.entropy);
    }
    assert.equal((await readRunStatus(folder, NOW)).status, "interrupted");
    const failures = [{ trialId: "c", message: "out of memory" }];
    await Deno.writeTextFile(path, JSON.stringify({ ...manifest, status: "failed", failures }));
    const failed = await readRunStatus(folder, NOW);
    assert.deepEqual([failed.status, failed.error], ["failed", "c: out of memory"]);
    assert.match(statusText(failed, false), /^error: c: out of memory$/m);
  }));

Deno.test("newestRun() finds the run that wrote last, and says when there is none", () =>
  withFolder(async (parent) => {
    await assert.rejects(newestRun(`${parent}/none`), {
      name: "UsageError",
      message: /^Cannot find a run: /,
    });
    for (const [name, file, time] of [["a", "progress", 2], ["b", "manifest", 3], ["c", "x", 9]]) {
      await Deno.mkdir(`${parent}/${name}`);
      await Deno.writeTextFile(`${parent}/${name}/${file}.json`, "{}");
      await Deno.utime(`${parent}/${name}/${file}.json`, 0, Number(time));
    }
    assert.equal(await newestRun(parent), `${parent}/b`);
  }));

Deno.test("readUpdatesInWords() knows the limits of the document's guidance", () => {
  const row = ROWS[0]!;
  const meanings = (changes: Readonly<Record<string, UpdateRow[string]>>): Record<string, string> =>
    Object.fromEntries(
      readUpdatesInWords([{ ...row, ...changes } as UpdateRow]).map((
        { name, meaning },
      ) => [name, meaning]),
    );
  // Four replicas: the limits are 1 and 0.5 nat; two replicas: half of that.
  const four = { ["action_shares"]: [1, 0, 0, 0] };
  const two = { "action_shares": [1, 0] };
  assert.deepEqual(
    [1.01, 0.99, 0.49].map((entropy) => meanings({ ...four, entropy }).entropy),
    ["exploring", "moderate", "converged"],
  );
  assert.deepEqual(
    [0.51, 0.49, 0.24].map((entropy) => meanings({ ...two, entropy }).entropy),
    ["exploring", "moderate", "converged"],
  );
  assert.deepEqual(
    [0.0101, 0.01].map((kl) => meanings({ approx_kl: kl }).KL),
    ["too fast: above 0.01", "steady"],
  );
  assert.deepEqual(
    [0.09, 0.1, 0.3, 0.31].map((share) => meanings({ clip_fraction: share })["clip fraction"]),
    ["small steps: below 0.1", "healthy", "healthy", "large steps: above 0.3"],
  );
  assert.deepEqual(
    [0.51, 0.5, 0, null].map((share) =>
      meanings({ explained_variance: share })["explained variance"]
    ),
    ["good", "weak", "critic no better than the mean return", "returns do not vary"],
  );
  assert.deepEqual(
    [-0.02, 0.01, 0.011].map((loss) => meanings({ policy_loss: loss })["policy loss"]),
    ["usual", "usual", "unusual: expected in -0.02 to 0.01"],
  );
});

Deno.test("readUpdatesInWords() tells where the last five updates went", () => {
  const trend = (values: readonly (number | null)[]): string =>
    readUpdatesInWords(values.map((value) => ({ ...ROWS[0]!, latency_mean_seconds: value })))
      .find(({ name }) => name === "mean E2E (s)")!.trend;
  assert.equal(trend([1]), "");
  assert.equal(trend([9, 1, 2, 3, 2.5, 4]), "rising", "the sixth last does not count");
  assert.equal(trend([5, null, 4]), "falling");
  assert.equal(trend([5, 5.01, 5, 5.01]), "flat");
  assert.deepEqual(readUpdatesInWords([]), []);
});

Deno.test("Redrawing draws over what it drew, within the screen, and shows the cursor again", () => {
  let written = "";
  const screen = new Redrawing((text) => written += text);
  screen.draw("one\ntwo long", { columns: 5, rows: 9 });
  screen.draw("a\nb\nc\nd", { columns: 5, rows: 4 });
  screen.draw("x".repeat(81), { columns: 0, rows: 0 });
  screen.end();
  assert.equal(
    written,
    "\x1b[?25lone\ntwo l\n" + "\x1b[2A\r\x1b[Ja\nb\nc\n" +
      `\x1b[3A\r\x1b[J${"x".repeat(80)}\n` + "\x1b[?25h",
  );
});

/** What a program prints up to the piece that holds a text. */
async function readUntil(stdout: ReadableStream<Uint8Array>, text: string): Promise<string> {
  const reader = stdout.getReader();
  let printed = "";
  while (!printed.includes(text)) {
    const { value, done } = await reader.read();
    assert.ok(!done, `it ended without ${JSON.stringify(text)}: ${printed}`);
    printed += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return printed;
}

Deno.test("deno task monitor watches a run until it is killed", () =>
  withFolder(async (out) => {
    const training = taskCommand(
      "train",
      ...["--out", out, "--set", "training.decisions=1000000", "--set", "ppo.rolloutLength=8"],
      ...["--set", 'policy={"kind":"mlp","hiddenSizes":[4]}'],
    ).spawn();
    await readUntil(training.stdout, "update 3/");
    const drained = training.stdout.cancel();
    const watching = taskCommand("monitor", out, "--watch", "0.05").spawn();
    const begun = await readUntil(watching.stdout, "\n");
    const { stdout: text } = await run("monitor", out, "--json");
    const status = JSON.parse(text);
    assert.deepEqual([status.command, status.status, status.unit], ["train", "running", "updates"]);
    assert.ok(status.done >= 2 && status.etaSeconds > 0 && status.decisionsPerSecond > 0);
    assert.equal(status.updates.at(-1).update, status.done);
    training.kill("SIGKILL");
    await Promise.all([training.status, drained, training.stderr.cancel()]);
    const [{ code }, rest] = await Promise.all([
      watching.status,
      Array.fromAsync(watching.stdout.pipeThrough(new TextDecoderStream())),
      watching.stderr.cancel(),
    ]);
    assert.equal(code, 0);
    const lines = begun + rest.join("");
    assert.match(
      lines,
      /^train running {2}\d+ % {2}updates \d+\/\d+ {2}decisions \d+\/1000\d+ {2}\d+\/s/,
    );
    assert.match(lines, /^train interrupted .*\n$/m);
    assert.equal(await isFolderLocked(out), false);
  }));

Deno.test("deno task monitor prints, draws and refuses", () =>
  withFolder(async (folder) => {
    await writeRun(folder, { ...PROGRESS, status: "failed", error: "a NaN in the weights" });
    const html = `${folder}/curves.html`;
    const { code, stdout: text } = await run("monitor", folder, "--verbose", "--plot", html);
    assert.equal(code, 0);
    assert.match(text, /^train .*: failed\n█{7}░{23} {2}25 % {2}updates 3\/12 {2}decisions 24\/96/);
    assert.match(text, /^error: a NaN in the weights$/m);
    assert.match(text, /│ entropy +│ [\d.]+ +│ (exploring|moderate|converged) /);
    assert.equal(text.match(/^│ [123] /gm)?.length, 3, "the last updates");
    const page = await Deno.readTextFile(html);
    for (const title of ["Policy loss", "Value loss", "Clip fraction"]) {
      assert.ok(page.includes(title), title);
    }
    const { code: wrong, stderr: message } = await run("monitor", folder, "--plot", "curves.pdf");
    assert.equal(wrong, 2);
    assert.match(message, /--plot must end in \.html, \.svg or \.png/);
    const nowhere = await run("monitor", folder, "--plot", `${folder}/none/curves.svg`);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /Cannot write --plot: .*there is no such folder/);
    const { code: none, stderr: reason } = await run("monitor", `${folder}/none`);
    assert.equal(none, 2);
    assert.match(reason, /it has neither progress\.json nor manifest\.json/);
    await Deno.mkdir(`${folder}/damaged`);
    await Deno.writeTextFile(`${folder}/damaged/manifest.json`, "null");
    const damaged = {
      name: "UsageError",
      message: /its manifest\.json is not one of this version/,
    };
    await assert.rejects(readRunStatus(`${folder}/damaged`, NOW), damaged);
    await Deno.writeTextFile(`${folder}/damaged/progress.json`, "{");
    const cut = { name: "UsageError", message: /progress\.json: it must be JSON/ };
    await assert.rejects(readRunStatus(`${folder}/damaged`, NOW), cut);
    const status = await readRunStatus(folder, NOW);
    assert.match(statusLine(status), /^train failed {2}25 % /);
  }));
