import assert from "node:assert/strict";
import { Command } from "commander";
import { addExperimentOptions, loadExperiment } from "../../lib/cli/_experiment_options.ts";
import { getScenario, scenarioNames, sizeScenarioNames } from "../../lib/scenarios/mod.ts";

function load(...args: string[]) {
  const program = addExperimentOptions(new Command());
  return loadExperiment(program.parse(args, { from: "user" }).opts());
}

Deno.test("--scenario sets cluster, workload, incidents and the rate of the load", async () => {
  for (const name of scenarioNames) {
    const { cluster, workload, incidents, capacity } = getScenario(name);
    for (const percent of [50, 75, 90]) {
      const config = await load("--scenario", name, "--load", String(percent));
      assert.deepEqual(config.cluster, cluster);
      assert.deepEqual(config.incidents, incidents);
      assert.ok(config.workload.kind === "fitted");
      const { ratePerSecond, ...rest } = config.workload;
      assert.deepEqual(rest, workload);
      // Three significant digits.
      assert.ok(Math.abs(ratePerSecond! / capacity.ratePerSecond - percent / 100) < 0.005);
    }
  }
  assert.deepEqual(await load("--scenario", "mixed"), await load("--scenario=mixed", "--load=75"));
});

Deno.test("--set has the last word over a scenario, a scenario over --config", () => {
  return withFile('{"cluster":{"model":"microsoft/phi-2"},"seed":9}', async (file) => {
    const config = await load(
      "--config",
      file,
      "--scenario=mixed",
      "--set=workload.ratePerSecond=3",
    );
    assert.equal(config.seed, 9);
    assert.equal(config.cluster.model, "meta-llama/Llama-2-7b-hf");
    assert.ok(config.workload.kind === "fitted" && config.workload.ratePerSecond === 3);
  });
});

Deno.test("--trace replays its requests at the scenario's rate", async () => {
  const { cluster, workload } = await load("--scenario=two_speed", "--trace=some.csv");
  assert.equal(cluster.replicas.length, 2);
  const { ratePerSecond } = (await load("--scenario=two_speed")).workload as {
    ratePerSecond: number;
  };
  assert.ok(workload.kind === "trace" && workload.ratePerSecond === ratePerSecond);
});

Deno.test("--scenario and --load say what there is when they are given something else", async () => {
  const names = [...scenarioNames, ...sizeScenarioNames].join(", ");
  const cases: [string[], string, string][] = [
    [["--scenario=mix"], "ConfigError", `scenario must be one of ${names}, current value is "mix"`],
    [["--scenario=toString"], "ConfigError", `scenario must be one of ${names}`],
    [
      ["--scenario=mixed", "--load=80"],
      "ConfigError",
      "load must be one of 50, 75, 90, current value is 80",
    ],
    [["--scenario=mixed", "--load=most"], "ConfigError", "load must be one of 50, 75, 90"],
    [["--load=50"], "UsageError", "--load must be given with --scenario"],
  ];
  for (const [args, name, message] of cases) {
    await assert.rejects(load(...args), (error: Error) => {
      assert.equal(error.name, name);
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  }
});

async function withFile(text: string, body: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, text);
    await body(file);
  } finally {
    await Deno.remove(file);
  }
}
