import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readParquet, rowsOf } from "../../lib/metrics/mod.ts";
import { withFolder } from "../_helpers.ts";
import { run, taskCommand } from "./_run.ts";

const EXPERIMENT = fileURLToPath(new URL("./_tiny_experiment.ts", import.meta.url));

/** Waits until the run has at least one finished trial and is not done with all. */
async function untilFirstTrial(out: string, child: Deno.ChildProcess): Promise<void> {
  let isRunning = true;
  child.status.then(() => isRunning = false);
  while (isRunning) {
    try {
      const entries = [...Deno.readDirSync(`${out}/trials`)];
      if (entries.some(({ name }) => !name.startsWith("."))) return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("the sweep ended before its first trial was seen");
}

async function rows(path: string): Promise<unknown[]> {
  return [...rowsOf(await readParquet(path))];
}

Deno.test("deno task sweep --dry-run prints the trials and writes nothing", () =>
  withFolder(async (folder) => {
    const out = `${folder}/out`;
    const options = ["--dry-run", "--seeds", "4-6", "--out", out];
    const { code, stdout, stderr } = await run("sweep", EXPERIMENT, ...options);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^tiny: 8 trials$/m);
    assert.match(stdout, /^[0-9a-f]{16} {2}ppo mode=hybrid {2}seed 6$/m);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("deno task sweep survives kill -9: --resume gives what an uninterrupted run gives", () =>
  withFolder(async (folder) => {
    const whole = await run("sweep", EXPERIMENT, "--out", `${folder}/whole`);
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stdout, /mean E2E vs least_outstanding \[95 %\]/);
    assert.match(whole.stdout, /ppo mode=delta \(sampled\)/);

    const out = `${folder}/killed`;
    const child = taskCommand("sweep", EXPERIMENT, "--out", out, "--jobs", "1").spawn();
    await untilFirstTrial(out, child);
    child.kill("SIGKILL");
    await child.output();
    assert.ok(!Deno.readDirSync(out).some(({ name }) => name === "trials.parquet"));

    const refused = await run("sweep", EXPERIMENT, "--out", out, "--resume", "--quick");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^error: Cannot resume .*the definition must be the one/m);
    const resumed = await run("sweep", EXPERIMENT, "--out", out, "--resume");
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, /^\[[1-5]\/6\] 6 trials, [1-5] already finished$/m);
    for (const name of ["trials", "training", "requests"]) {
      const [a, b] = [`${folder}/whole`, out].map((path) => rows(`${path}/${name}.parquet`));
      assert.deepEqual(await b, await a);
    }
    const table = (text: string): string => text.slice(0, text.indexOf("Written to"));
    assert.equal(table(resumed.stdout), table(whole.stdout));
  }));

Deno.test("deno task sweep stops on Ctrl-C with exit code 130 and says how to go on", () =>
  withFolder(async (folder) => {
    const out = `${folder}/out`;
    const child = taskCommand(
      "sweep",
      EXPERIMENT,
      "--out",
      out,
      "--jobs",
      "1",
      "--set",
      "training.decisions=1e7",
    ).spawn();
    await untilFirstTrial(out, child);
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assert.equal(code, 130);
    assert.match(
      new TextDecoder().decode(stderr),
      /interrupted; finish the run .* --resume --out /,
    );
    const manifest = JSON.parse(await Deno.readTextFile(`${out}/manifest.json`));
    assert.equal(manifest.status, "running");
  }));

Deno.test("deno task sweep refuses bad input with exit code 2 and one line, writing nothing", () =>
  withFolder(async (folder) => {
    const out = `${folder}/out`;
    const trace = `${folder}/trace.csv`;
    const header = "arrived_at,num_prefill_tokens,num_decode_tokens";
    await Deno.writeTextFile(`${folder}/bad.csv`, `${header}\n0,5,5\n1,x,5\n`);
    await Deno.writeTextFile(`${folder}/back.csv`, `${header}\n1,5,5\n0,5,5\n`);
    await Deno.writeTextFile(`${folder}/negative.csv`, `${header}\n-1,5,5\n`);
    const huge = Array.from({ length: 400 }, (_, i) => `${i},${i === 7 ? 9_000_000 : 100},5`);
    await Deno.writeTextFile(trace, `${header}\n${huge.join("\n")}\n`);
    await Deno.writeTextFile(`${folder}/empty.ts`, "export default {};");
    const cases: [string[], RegExp][] = [
      [[], /missing required argument 'file'/],
      [["nowhere.ts"], /Cannot load nowhere\.ts: there is no such file/],
      [[`${folder}/empty.ts`], /its default export must be what defineSweep\(\) returns/],
      [[folder], /there is no such file/],
      [[`${folder}/bad.csv`], /it must be a module \(\.ts, \.mts, \.js or \.mjs\)/],
      [[EXPERIMENT, "--set", "seed=9"], /seed must be left out \(training seeds are a list/],
      [[EXPERIMENT, "--bogus"], /unknown option '--bogus'/],
      [[EXPERIMENT, "--jobs", "0"], /--jobs.* integer >= 1, current value is "0"/],
      [[EXPERIMENT, "--seeds", "1,x"], /--seeds must be integers .*"1,x"/],
      [[EXPERIMENT, "--seeds", "1,1"], /--seeds must be distinct/],
      [[EXPERIMENT, "--set", "ppo.clipRatio"], /must be path\.to\.key=value/],
      [[EXPERIMENT, "--set", "ppo.clip=1"], /ppo\.clip must be left out \(unknown key\)/],
      [
        [EXPERIMENT, "--set", "ppo.clipRatio=-1"],
        /ppo\.clipRatio must be > 0, current value is -1/,
      ],
      [[EXPERIMENT, "--set", "reward.mode=best"], /reward\.mode must be one of "delta"/],
      [[EXPERIMENT, "--set", 'cluster.replicas=[{"gpu":"h9000"}]'], /h9000/],
      [[EXPERIMENT, "--trace", `${folder}/none.csv`], /Cannot read .*none\.csv: /],
      [[EXPERIMENT, "--trace", `${folder}/bad.csv`], /bad\.csv, line 3: .*x/],
      [[EXPERIMENT, "--trace", `${folder}/back.csv`], /back\.csv, line 3: .*must not decrease/],
      [[EXPERIMENT, "--trace", `${folder}/negative.csv`], /negative\.csv, line 2: .*-1/],
      [[EXPERIMENT, "--trace", trace], /request 7 .*must have at most \d+ tokens.*9000005/],
      [[EXPERIMENT, "--resume"], /--out must name the folder/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr, stdout } = await run(
        "sweep",
        ...args,
        ...(args.includes("--resume") ? [] : ["--out", out]),
      );
      assert.equal(code, 2, `${args}: ${stderr}`);
      assert.match(stderr, /^error: [^\n]+\n$/, "one line");
      assert.match(stderr, message);
      assert.equal(stdout, "");
      await assert.rejects(Deno.stat(out), Deno.errors.NotFound, `${args} wrote something`);
    }
  }));
