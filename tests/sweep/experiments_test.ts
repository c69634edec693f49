import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expandSweep, isSweepDefinition, type SweepDefinition } from "../../lib/sweep/mod.ts";

const FOLDER = join(import.meta.dirname!, "..", "..", "experiments");

async function load(file: string): Promise<unknown> {
  const module = await import(pathToFileURL(join(FOLDER, file)).href) as { default?: unknown };
  return module.default;
}

Deno.test("every sweep of experiments/ expands, in full and in its small version", async () => {
  const sweeps: SweepDefinition[] = [];
  for (
    const name of ["reward_modes", "reward_modes_full", "state_features", "why_the_original_fails"]
  ) {
    const definition = await load(`${name}.ts`);
    assert.ok(isSweepDefinition(definition), name);
    assert.equal(definition.name, name);
    sweeps.push(definition);
  }
  for (const definition of sweeps) {
    const full = expandSweep(definition);
    const small = expandSweep(definition, { quick: true });
    assert.ok(small.trials.length < full.trials.length, definition.name);
    assert.equal(new Set(small.trials.map(({ label }) => label)).size, small.trials.length);
  }
});

Deno.test("why_the_original_fails keeps the simulator and the arrivals as they are", async () => {
  const { trials } = expandSweep(await load("why_the_original_fails.ts") as SweepDefinition);
  assert.equal(new Set(trials.map(({ scenario }) => scenario)).size, 1);
  const configs = new Map(trials.map(({ label, config }) => [label, config]));
  const seed = configs.get("ppo preset seed")!;
  assert.deepEqual([seed.reward.mode, seed.policy.kind, seed.ppo.rolloutLength], [
    "hybrid",
    "actor_critic",
    32,
  ]);
  const all = configs.get("ppo all of them")!;
  assert.deepEqual(all.ppo.faults, { updateTemperature: "one", sequenceStates: "afterRollout" });
  assert.equal(all.ppo.sequenceLength, 1);
  assert.deepEqual(configs.get("ppo none")!.ppo.faults, {
    updateTemperature: "acted",
    sequenceStates: "stored",
  });
});
