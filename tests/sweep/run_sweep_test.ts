import assert from "node:assert/strict";
import { readArrow, readParquet, rowsOf } from "../../lib/metrics/mod.ts";
import { UsageError } from "../../lib/support/mod.ts";
import { expandSweep, runSweep, type SweepEvent } from "../../lib/sweep/mod.ts";
import { tinySweep } from "./_tiny_sweep.ts";
import { withFolder } from "../_helpers.ts";

const sweep = expandSweep(tinySweep);

/** Contents of all files below a folder, but for the manifest, which holds wall-clock times. */
async function contents(folder: string, below = ""): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of Deno.readDir(`${folder}/${below}`)) {
    const name = `${below}${entry.name}`;
    if (entry.isDirectory) {
      for (const [path, bytes] of await contents(folder, `${name}/`)) files.set(path, bytes);
    } else if (name !== "manifest.json") {
      files.set(name, (await Deno.readFile(`${folder}/${name}`)).toHex());
    }
  }
  return new Map([...files].sort(([a], [b]) => a < b ? -1 : 1));
}

Deno.test("runSweep() leaves every file, with the rows and types promised", () =>
  withFolder(async (out) => {
    const { failures, outputs } = await runSweep(sweep, { out, jobs: 2, arrow: true });
    assert.deepEqual(failures, []);
    const names = [...(await contents(out)).keys()].filter((name) => !name.startsWith("trials/"));
    const plots = [
      "action_shares",
      "e2e_bars",
      "e2e_ecdf",
      "learning_curves",
      "reward_components",
    ].flatMap((name) => ["png", "svg", "vl.json"].map((kind) => `plots/${name}.${kind}`));
    assert.deepEqual(names, [
      ...plots,
      "report.html",
      "requests.arrow",
      "requests.parquet",
      "training.arrow",
      "training.parquet",
      "trials.arrow",
      "trials.parquet",
    ]);

    const trials = [...rowsOf(await readParquet(`${out}/trials.parquet`))];
    assert.equal(trials.length, 2 + 4 * 2); // baselines once, learners greedy and sampled
    assert.deepEqual(
      trials.map((row) => row.trial_id),
      sweep.trials.flatMap(({ id, seed }) => seed === null ? [id] : [id, id]),
    );
    assert.deepEqual(trials.at(-1)!["reward.mode"], "hybrid");
    assert.equal(trials[0]!.seed, null);

    const training = [...rowsOf(await readParquet(`${out}/training.parquet`))];
    assert.equal(training.length, 4 * 2); // 64 decisions in rollouts of 2 x 16
    assert.deepEqual(training.slice(0, 2).map((row) => row.decisions), [32, 64]);
    for (const row of training) {
      assert.ok(row.initial_ratio_deviation as number < 1e-5, "the first ratios are 1");
      const isDelta = row.policy === "ppo mode=delta";
      assert.equal(row.reward_absolute === null, isDelta, "terms of the other mode are null");
    }

    const requests = await readParquet(`${out}/requests.parquet`);
    assert.equal(requests.numRows, (2 + 4 * 2) * 2 * 40);
    assert.equal((await readArrow(`${out}/requests.arrow`)).numRows, requests.numRows);
    const arrivals = new Map<unknown, Set<string>>();
    for (const row of rowsOf(requests)) {
      const key = `${row.evaluation_seed}/${row.request}`;
      const facts = `${row.arrival_seconds} ${row.prompt_tokens} ${row.output_tokens}`;
      arrivals.set(key, (arrivals.get(key) ?? new Set()).add(facts));
    }
    assert.equal(arrivals.size, 2 * 40);
    assert.ok([...arrivals.values()].every((facts) => facts.size === 1), "common random numbers");

    const [scenario] = outputs!.scenarios;
    assert.equal(scenario!.reference, "least_outstanding");
    const lor = scenario!.comparisons.find(({ policy }) => policy === "least_outstanding")!;
    assert.equal(lor.e2eMean.difference.estimate, 0);
    const manifest = JSON.parse(await Deno.readTextFile(`${out}/manifest.json`));
    assert.equal(manifest.status, "complete");
    assert.deepEqual(
      manifest.trials.map(({ id }: { id: string }) => id),
      sweep.trials.map(
        ({ id }) => id,
      ),
    );
    assert.equal(Object.keys(manifest.timings).length, sweep.trials.length);
  }));

Deno.test("runSweep() writes the same bytes whatever the number of workers", () =>
  withFolder(async (folder) => {
    for (const jobs of [1, 3]) {
      const { failures } = await runSweep(sweep, { out: `${folder}/${jobs}`, jobs });
      assert.deepEqual(failures, []);
    }
    assert.deepEqual(await contents(`${folder}/1`), await contents(`${folder}/3`));
  }));

Deno.test("runSweep() finishes an interrupted run as if nothing had happened, redoing nothing", () =>
  withFolder(async (folder) => {
    await runSweep(sweep, { out: `${folder}/whole`, jobs: 1 });
    const out = `${folder}/interrupted`;
    const controller = new AbortController();
    const stopAfter = 3;
    let finished = 0;
    const first = runSweep(sweep, {
      out,
      jobs: 1,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.kind === "finished" && ++finished === stopAfter) {
          controller.abort(new DOMException("stop", "AbortError"));
        }
      },
    });
    await assert.rejects(first, { name: "AbortError" });
    assert.ok(!(await contents(out)).has("trials.parquet"), "nothing is merged");
    // What a killed process leaves of the trial that it was writing.
    await Deno.mkdir(`${out}/trials/.unfinished-${sweep.trials[3]!.id}`, { recursive: true });
    await Deno.writeTextFile(`${out}/trials/.unfinished-${sweep.trials[3]!.id}/trial.json`, "{");

    const events: SweepEvent[] = [];
    await runSweep(sweep, { out, jobs: 2, resume: true, onEvent: (event) => events.push(event) });
    const started = events.flatMap((event) => event.kind === "started" ? [event.trial.index] : []);
    assert.deepEqual(started.sort(), [3, 4, 5]);
    assert.deepEqual(await contents(out), await contents(`${folder}/whole`));

    const again: SweepEvent[] = [];
    await runSweep(sweep, { out, resume: true, onEvent: (event) => again.push(event) });
    assert.ok(!again.some((event) => event.kind === "started"));
    assert.deepEqual(await contents(out), await contents(`${folder}/whole`));
  }));

Deno.test("runSweep() reports trials that fail twice, keeps the others, and resumes them", () =>
  withFolder(async (out) => {
    const unfit = expandSweep(tinySweep, {
      // The learners find nothing to begin with; baselines do not care.
      set: [{ path: "training.initialPolicy", value: `${out}/no_such_policy` }],
      seeds: [1],
    });
    const attempts: number[] = [];
    const { failures, outputs } = await runSweep(unfit, {
      out,
      jobs: 2,
      onEvent: (event) => event.kind === "started" && attempts.push(event.attempt),
    });
    assert.deepEqual(failures.map(({ trial }) => trial.label), [
      "ppo mode=delta",
      "ppo mode=hybrid",
    ]);
    assert.match(failures[0]!.error.message, /no_such_policy: it must exist/);
    assert.equal(attempts.filter((attempt) => attempt === 2).length, 2);
    assert.equal(outputs!.scenarios[0]!.comparisons.length, 2);
    const manifest = JSON.parse(await Deno.readTextFile(`${out}/manifest.json`));
    assert.equal(manifest.status, "failed");
    assert.equal(manifest.failures.length, 2);
    const started: number[] = [];
    await runSweep(unfit, {
      out,
      resume: true,
      onEvent: (event) => event.kind === "started" && started.push(event.trial.index),
    });
    assert.deepEqual([...new Set(started)].sort(), [2, 3]);
  }));

Deno.test("runSweep() refuses a used folder, a missing one to resume, and another definition", () =>
  withFolder(async (folder) => {
    const refuses = (options: { out: string; resume?: boolean }, text: RegExp, which = sweep) =>
      assert.rejects(runSweep(which, options), (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, text);
        return true;
      });
    await Deno.writeTextFile(`${folder}/note.txt`, "mine");
    await refuses({ out: folder }, /must be a new or empty folder/);
    await refuses({ out: `${folder}/note.txt` }, /must be a folder/);
    await refuses({ out: `${folder}/nowhere`, resume: true }, /holds no manifest\.json/);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["note.txt"]);

    const baselines = expandSweep({
      ...tinySweep,
      axes: [{ path: "reward.mode", values: ["delta"] }],
    }, { seeds: [1] });
    await runSweep(baselines, { out: `${folder}/run` });
    await refuses({ out: `${folder}/run` }, /--resume/);
    const before = await contents(`${folder}/run`);
    await refuses(
      { out: `${folder}/run`, resume: true },
      /the definition must be the one that the run began with/,
      expandSweep(tinySweep),
    );
    assert.deepEqual(await contents(`${folder}/run`), before);
    const other = await Deno.open(`${folder}/run/trials/.lock`, { write: true });
    await other.lock(true);
    await refuses({ out: `${folder}/run`, resume: true }, /another process is running/, baselines);
    other.close();
    await Deno.writeTextFile(`${folder}/run/manifest.json`, "{");
    await refuses({ out: `${folder}/run`, resume: true }, /not one of this version/, baselines);
  }));

Deno.test("runSweep() refuses to resume when a trace that trials read has changed", () =>
  withFolder(async (folder) => {
    const trace = `${folder}/trace.csv`;
    const rows = Array.from({ length: 200 }, (_, i) => `${i},100,10`);
    const text = `arrived_at,num_prefill_tokens,num_decode_tokens\n${rows.join("\n")}\n`;
    await Deno.writeTextFile(trace, text);
    const replay = expandSweep(tinySweep, {
      set: [
        { path: "reward.mode", value: "delta" },
        { path: "training.mixture", value: [{ workload: { kind: "trace", path: trace } }] },
      ],
      seeds: [1],
    });
    const out = `${folder}/out`;
    assert.deepEqual((await runSweep(replay, { out })).failures, []);
    await Deno.writeTextFile(trace, `${text}200,100,10\n`);
    await assert.rejects(runSweep(replay, { out, resume: true }), {
      name: "UsageError",
      message: `Cannot resume ${out}: ${trace} has changed since the run began`,
    });
  }));

Deno.test("runSweep() refuses a trace that is too short before it writes anything", () =>
  withFolder(async (folder) => {
    const path = `${folder}/short.csv`;
    const rows = Array.from({ length: 30 }, (_, i) => `${i},100,10`);
    await Deno.writeTextFile(
      path,
      `arrived_at,num_prefill_tokens,num_decode_tokens\n${rows.join("\n")}\n`,
    );
    const workload = { kind: "trace", path };
    for (
      const assignment of [
        { path: "workload", value: workload },
        { path: "training.mixture", value: [{ workload }] },
      ]
    ) {
      const replay = expandSweep(tinySweep, { set: [assignment] });
      await assert.rejects(runSweep(replay, { out: `${folder}/out` }), {
        name: "UsageError",
        message: /count must be <= /,
      });
    }
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["short.csv"]);
  }));
