import assert from "node:assert/strict";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  getScenario,
  scenarioNames,
  scenarioSchema,
  scenarioSettings,
  sizeScenarioNames,
} from "../../lib/scenarios/mod.ts";
import { ConfigError, parseConfig } from "../../lib/support/mod.ts";
import { evaluatePolicies, heuristicEntry, openScenario } from "../../lib/training/mod.ts";
import { firstMasks } from "../training/_first_masks.ts";

Deno.test("every file of data/scenarios is a scenario of its name and carries its requests", async () => {
  const filesOf = (folder: string) =>
    [...Deno.readDirSync(new URL(`../../data/${folder}/`, import.meta.url))]
      .filter(({ isFile }) => isFile).map(({ name }) => name).sort();
  const namesOf = (names: readonly string[]) => names.map((name) => `${name}.json`).sort();
  assert.deepEqual(filesOf("scenarios"), namesOf(scenarioNames));
  assert.deepEqual(filesOf("scenarios/sizes"), namesOf(sizeScenarioNames));
  for (const name of [...scenarioNames, ...sizeScenarioNames]) {
    const definition = getScenario(name);
    assert.equal(definition.name, name);
    assert.equal(definition.capacity.command, `deno task capacity --scenario ${name} --write`);
    const scenario = await openScenario(parseExperimentConfig({
      ...scenarioSettings(definition, 50),
      training: { episodeRequests: 20 },
      evaluation: { seeds: [101], requests: 60 },
    }));
    const [run] = await evaluatePolicies(scenario, [heuristicEntry(scenario, "least_outstanding")]);
    assert.equal(run!.result.unfinishedCount, 0, name);
  }
});

Deno.test("scenarioSchema refuses what is missing, unknown or impossible", () => {
  const mixed = getScenario("mixed");
  const { description: _, ...undescribed } = mixed;
  const cases: [object, string][] = [
    [undescribed, "description"],
    [{ ...mixed, rate: 3 }, "rate"],
    [{ ...mixed, workload: { ...mixed.workload, ratePerSecond: 3 } }, "workload.ratePerSecond"],
    [{ ...mixed, workload: { kind: "trace", path: "x" } }, "workload.kind"],
    [
      { ...mixed, capacity: { ...mixed.capacity, ratePerSecond: 0 } },
      "capacity.ratePerSecond",
    ],
    [{ ...mixed, capacity: { ...mixed.capacity, seeds: [] } }, "capacity.seeds"],
    [{ ...mixed, incidents: { events: [{ kind: "fail" }] } }, "incidents.events.0.replica"],
  ];
  for (const [input, field] of cases) {
    assert.throws(() => parseConfig(scenarioSchema, input), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.field, field);
      return true;
    });
  }
});

Deno.test("slowdown: the same incidents for every policy, others for other seeds", async () => {
  const scenario = await openScenario(parseExperimentConfig({
    ...scenarioSettings(getScenario("slowdown"), 75),
    evaluation: { seeds: [101, 102], requests: 200 },
  }));
  const entries = ["least_outstanding", "round_robin"].map((name) =>
    heuristicEntry(scenario, name)
  );
  const requeued = new Map<string, number>();
  let label = "";
  await evaluatePolicies(scenario, entries, {
    observers: [{
      onRequeued: (_request, replica) => requeued.set(label, replica),
    }],
    onRun: (run) => label = `after ${run.label} ${run.evaluationSeed}`,
  });
  const at = (seed: number) =>
    scenario.incidents(
      new Rng(seed).stream("test incidents"),
      scenario.evaluationWorkload(seed),
    );
  assert.deepEqual(at(101), at(101));
  assert.notDeepEqual(at(101), at(102));
  // Both policies lose requests of the replica that fails in the run of seed 101.
  const failing = at(101).find(({ kind }) => kind === "fail")!.replica;
  assert.equal(requeued.get(""), failing);
  assert.equal(requeued.get("after least_outstanding 102"), failing);
});

Deno.test("training episodes have the incidents of the configuration, each its own", async () => {
  const scenario = await openScenario(parseExperimentConfig({
    cluster: { replicas: [{ gpu: "a100", count: 4 }] },
    incidents: {
      shuffleReplicas: true,
      events: [{ kind: "fail", replica: 0, atFraction: [0, 0] }],
    },
    training: { environments: 8, episodeRequests: 20 },
    evaluation: { requests: 20 },
  }));
  const failing = firstMasks(scenario).map((mask) => {
    assert.equal(mask.reduce((sum, allowed) => sum + allowed, 0), 3);
    return mask.indexOf(0);
  });
  assert.ok(new Set(failing).size > 1, `replicas ${failing}`);
});
