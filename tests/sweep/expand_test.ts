import assert from "node:assert/strict";
import { defineSweep, expandSweep, type SweepInput } from "../../lib/sweep/mod.ts";
import { ConfigError, UsageError } from "../../lib/support/mod.ts";
import { tinySweep } from "./_tiny_sweep.ts";

const input: SweepInput = {
  name: "axes",
  description: "",
  base: {},
  grid: { "ppo.clipRatio": [0.1, 0.2], "state.maxQueueRequests": [0, 4] },
  seeds: [5, 3],
  baselines: ["random", "least_outstanding"],
};

Deno.test("expandSweep() lists baselines, then cells with the first axis slowest, seeds as written", () => {
  const { trials } = expandSweep(defineSweep(input));
  assert.deepEqual(trials.map(({ label, seed }) => [label, seed]), [
    ["random", null],
    ["least_outstanding", null],
    ["ppo clipRatio=0.1 maxQueueRequests=0", 5],
    ["ppo clipRatio=0.1 maxQueueRequests=0", 3],
    ["ppo clipRatio=0.1 maxQueueRequests=4", 5],
    ["ppo clipRatio=0.1 maxQueueRequests=4", 3],
    ["ppo clipRatio=0.2 maxQueueRequests=0", 5],
    ["ppo clipRatio=0.2 maxQueueRequests=0", 3],
    ["ppo clipRatio=0.2 maxQueueRequests=4", 5],
    ["ppo clipRatio=0.2 maxQueueRequests=4", 3],
  ]);
  assert.deepEqual(trials.map(({ index }) => index), [...trials.keys()]);
  const last = trials.at(-1)!;
  assert.deepEqual(last.cell, { "ppo.clipRatio": 0.2, "state.maxQueueRequests": 4 });
  assert.equal(last.config.seed, 3);
  assert.equal(last.config.ppo.clipRatio, 0.2);
  assert.equal(last.config.state.maxQueueRequests, 4);
});

Deno.test("expandSweep() gives ids that depend on the work only", () => {
  const full = expandSweep(defineSweep(input)).trials;
  assert.equal(new Set(full.map(({ id }) => id)).size, full.length);
  const fewer = expandSweep(defineSweep({ ...input, name: "other", seeds: [3] })).trials;
  const ids = new Set(full.map(({ id }) => id));
  assert.ok(fewer.every(({ id }) => ids.has(id)), "a part of the work has the same ids");
  const changed = expandSweep(defineSweep(input), { set: [{ path: "ppo.epochs", value: 2 }] });
  const changedIds = new Set(changed.trials.map(({ id }) => id));
  const common = full.filter(({ id }) => changedIds.has(id)).map(({ label }) => label);
  assert.deepEqual(common, ["random", "least_outstanding"], "PPO's epochs do not touch baselines");
});

Deno.test("expandSweep() runs baselines once for each cluster and workload", () => {
  const { trials } = expandSweep(defineSweep({
    ...input,
    grid: { "ppo.clipRatio": [0.1, 0.2], "evaluation.requests": [50, 60] },
  }));
  const baselines = trials.filter(({ seed }) => seed === null);
  assert.deepEqual(baselines.map(({ label }) => label), [
    "random requests=50",
    "least_outstanding requests=50",
    "random requests=60",
    "least_outstanding requests=60",
  ]);
  for (const trial of trials) {
    const peers = baselines.filter(({ scenario }) => scenario === trial.scenario);
    assert.equal(peers.length, 2, "every trial has baselines on its own scenario");
    assert.equal(peers[0]!.config.evaluation.requests, trial.config.evaluation.requests);
  }
});

Deno.test("expandSweep() lets set win over axes, axes over quick, quick over base", () => {
  const options = { quick: true, set: [{ path: "reward.mode", value: "instant" }] };
  const { trials, axes } = expandSweep(tinySweep, options);
  assert.deepEqual(axes, [{ path: "reward.mode", values: ["instant"] }]);
  const learners = trials.filter(({ policy }) => policy === "ppo");
  assert.deepEqual(learners.map(({ label, seed }) => [label, seed]), [["ppo mode=instant", 9]]);
  assert.equal(learners[0]!.config.training.decisions, 32);
  assert.equal(learners[0]!.config.training.environments, 2);
  assert.deepEqual(
    expandSweep(tinySweep, { quick: true, seeds: [4, 6] }).trials.map(({ seed }) => seed),
    [null, null, 4, 6, 4, 6],
  );
});

Deno.test("expandSweep() has a hash of its own for every list of trials", () => {
  const hashes = [
    expandSweep(tinySweep),
    expandSweep(tinySweep, { quick: true }),
    expandSweep(tinySweep, { seeds: [1] }),
    expandSweep(tinySweep, { set: [{ path: "ppo.epochs", value: 3 }] }),
    ...["a", "b"].map((label) =>
      expandSweep(defineSweep({ ...input, grid: {}, variants: { kind: { [label]: {} } } }))
    ),
  ].map(({ hash }) => hash);
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(expandSweep(tinySweep).hash, hashes[0]);
});

Deno.test("expandSweep() refuses trials that are the same work", () => {
  const twice = defineSweep({ ...input, grid: { "ppo.clipRatio": [0.1, 0.1] } });
  assert.throws(
    () => expandSweep(twice),
    (error) => error instanceof UsageError && /are the same work/.test(error.message),
  );
});

Deno.test("expandSweep() refuses axis values that the schema does not allow", () => {
  const bad = defineSweep({ ...input, grid: { "ppo.clipRatio": [-1] } });
  assert.throws(
    () => expandSweep(bad),
    (error) =>
      error instanceof ConfigError && error.field === "ppo.clipRatio" && error.value === -1,
  );
});

Deno.test("expandSweep() refuses a seed that each trial's own would hide", () => {
  const seed = { path: "seed", value: 9 };
  const expected = { name: "ConfigError", field: "seed", value: 9 };
  assert.throws(() => expandSweep(tinySweep, { set: [seed] }), expected);
  const quick = { ...tinySweep, quick: { set: [seed], seeds: [1] } };
  assert.throws(() => expandSweep(quick, { quick: true }), expected);
  const labelled = defineSweep({ ...input, variants: { kind: { a: { seed: 9 } } } });
  assert.throws(() => expandSweep(labelled), expected);
});

Deno.test("defineSweep() refuses what is no definition, naming the field", () => {
  const cases: [Partial<SweepInput>, string][] = [
    [{ name: "Reward Modes" }, "sweep.name"],
    [{ seeds: [] }, "sweep.seeds"],
    [{ seeds: [1, 1] }, "sweep.seeds"],
    [{ seeds: [-1] }, "sweep.seeds.0"],
    [{ baselines: ["lor"] }, "sweep.baselines.0"],
    [{ baselines: ["random"] }, "sweep.reference"],
    [{ reference: "round_robin" }, "sweep.reference"],
    [{ grid: { "ppo.clipRatio": [] } }, "sweep.grid.ppo.clipRatio"],
    [{ base: { ppo: { clipRatio: -1 } } }, "ppo.clipRatio"],
    [{ quick: { seeds: [0.5] } }, "sweep.quick.seeds.0"],
  ];
  for (const [change, field] of cases) {
    assert.throws(() => defineSweep({ ...input, ...change }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.field, field);
      return true;
    });
  }
});

Deno.test("defineSweep() does not compile with a misspelt axis or a value of another type", () => {
  // @ts-expect-error There is no such key.
  const misspelt = defineSweep({ ...input, grid: { "ppo.clipRato": [0.1] } });
  assert.throws(
    () => expandSweep(misspelt),
    (error) => error instanceof ConfigError && error.field === "ppo.clipRato",
  );
  // @ts-expect-error The clip ratio is a number.
  const mistyped = defineSweep({ ...input, grid: { "ppo.clipRatio": ["high"] } });
  assert.throws(
    () => expandSweep(mistyped),
    (error) => error instanceof ConfigError && error.field === "ppo.clipRatio",
  );
});
