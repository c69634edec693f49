import assert from "node:assert/strict";
import { learnedRouting } from "../../experiments/learned_routing.ts";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { expandStudy } from "../../lib/study/mod.ts";
import { ConfigError, UsageError } from "../../lib/support/mod.ts";
import { tinyStudy } from "./_tiny_study.ts";

Deno.test("expandStudy() runs every baseline and every seed of the policies that belong to a cell", () => {
  const { cells, sweep } = expandStudy(tinyStudy);
  assert.deepEqual(cells.map(({ name }) => name), ["mixed_50", "mixed_75", "homogeneous_75"]);
  const labels = cells.map(({ trials }) => trials.map(({ label, seed }) => `${label} ${seed}`));
  const baselines = tinyStudy.baselines.map((name) => `${name} null`);
  assert.deepEqual(labels[0], [...baselines, "ppo 1", "ppo 2"]);
  assert.deepEqual(labels[1], [...baselines, "ppo 1", "ppo 2", "ppo early 1"]);
  assert.deepEqual(cells.flatMap(({ trials }) => trials), sweep.trials);
  assert.deepEqual(sweep.trials.map(({ index }) => index), [...sweep.trials.keys()]);
});

Deno.test("expandStudy() lets the policy's keys win over the scenario's, and quick over both", () => {
  const gammaOf = (cell: string, label: string, quick = false): number => {
    const found = expandStudy(tinyStudy, { quick }).cells.find(({ name }) => name === cell)!;
    return found.trials.find((trial) => trial.label === label)!.config.ppo.gamma;
  };
  assert.equal(gammaOf("mixed_50", "ppo"), parseExperimentConfig({}).ppo.gamma, "the preset's");
  assert.equal(gammaOf("homogeneous_75", "ppo"), 0.9);
  assert.equal(gammaOf("mixed_75", "ppo early"), 0.8);
  assert.equal(gammaOf("mixed_75", "ppo", true), 0.7);
});

Deno.test("expandStudy() keeps the scenarios asked for and refuses others", () => {
  const { cells } = expandStudy(tinyStudy, { only: ["homogeneous"] });
  assert.deepEqual(cells.map(({ title }) => title), ["homogeneous 75 %"]);
  assert.throws(
    () => expandStudy(tinyStudy, { only: ["mixed", "slow"] }),
    (error) =>
      error instanceof UsageError &&
      /--only must be among mixed, homogeneous, .* slow$/.test(error.message),
  );
  assert.throws(
    () => expandStudy({ ...tinyStudy, cells: { nowhere: [75] } }),
    (error) => error instanceof ConfigError && error.field === "scenario",
  );
});

Deno.test("expandStudy() in quick takes the small version's cells, seeds and policies", () => {
  const { cells } = expandStudy(tinyStudy, { quick: true });
  const [cell] = cells;
  assert.equal(cells.length, 1);
  assert.deepEqual(cell!.trials.flatMap(({ seed }) => seed ?? []), [7]);
  assert.equal(cell!.trials.at(-1)!.config.training.decisions, 32);
  // Wherever a policy is trained otherwise.
  const elsewhere = { ...tinyStudy.quick, cells: { homogeneous: [75] }, without: [] } as const;
  const { sweep } = expandStudy({ ...tinyStudy, quick: elsewhere }, { quick: true });
  const learned = sweep.trials.filter(({ policy }) => policy === "ppo");
  assert.deepEqual(learned.map(({ label }) => label), ["ppo", "ppo early"]);
});

Deno.test("the study of the README compares all policies of a cell on the same arrivals, chosen apart from the test", () => {
  const { cells, sweep } = expandStudy(learnedRouting);
  assert.equal(cells.length, 18);
  for (const { trials, config, title } of cells) {
    for (const trial of trials) {
      const { seeds, requests } = trial.config.evaluation;
      assert.deepEqual({ seeds, requests }, {
        seeds: config.evaluation.seeds,
        requests: config.evaluation.requests,
      }, title);
      assert.deepEqual(trial.config.workload, config.workload);
      assert.deepEqual(trial.config.cluster, config.cluster);
      const { validation } = trial.config.training;
      assert.ok(!validation.seeds.some((seed) => seeds.includes(seed)));
    }
    const seeds = trials.filter(({ label }) => label === "ppo").map(({ seed }) => seed);
    assert.ok(seeds.length >= 5);
  }
  const trained = new Set(
    sweep.trials.map(({ label, cell }) => `${label}/${cell.scenario}/${cell.load}`),
  );
  for (const { policy, scenario, loads } of learnedRouting.targets) {
    for (const load of loads) assert.ok(trained.has(`${policy}/${scenario}/${load}`));
  }
  const { policies, scenario, load } = learnedRouting.tradeOff;
  for (const policy of policies) assert.ok(trained.has(`${policy}/${scenario}/${load}`), policy);
});
