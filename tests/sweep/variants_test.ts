import assert from "node:assert/strict";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { defineSweep, expandSweep, type SweepInput } from "../../lib/sweep/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";

const input: SweepInput = {
  name: "labelled",
  description: "",
  base: { workload: { kind: "fitted", ratePerSecond: 6 }, training: { decisions: 100 } },
  grid: { "ppo.clipRatio": [0.1, 0.2] },
  variants: {
    fault: {
      none: {},
      "short rollouts": { "ppo.rolloutLength": 32, "training.environments": 1 },
      "preset seed": { preset: "seed", "ppo.epochs": 2 },
    },
  },
  seeds: [1],
  baselines: ["least_outstanding"],
};

Deno.test("expandSweep() crosses labelled axes with the grid; the labels name the trials", () => {
  const { trials, axes } = expandSweep(defineSweep(input));
  assert.deepEqual(trials.map(({ label }) => label), [
    "least_outstanding",
    "ppo none clipRatio=0.1",
    "ppo none clipRatio=0.2",
    "ppo short rollouts clipRatio=0.1",
    "ppo short rollouts clipRatio=0.2",
    "ppo preset seed clipRatio=0.1",
    "ppo preset seed clipRatio=0.2",
  ]);
  assert.deepEqual(axes[0], { path: "fault", values: ["none", "short rollouts", "preset seed"] });
  assert.deepEqual(trials[3]!.cell, { fault: "short rollouts", "ppo.clipRatio": 0.1 });
  const { ppo, training } = trials[3]!.config;
  assert.deepEqual([ppo.rolloutLength, training.environments, ppo.clipRatio], [32, 1, 0.1]);
});

Deno.test("expandSweep() takes a variant's preset for whatever the base does not say", () => {
  const { trials } = expandSweep(defineSweep({ ...input, grid: {} }), {
    set: [{ path: "evaluation.requests", value: 50 }],
  });
  const { config } = trials.at(-1)!;
  assert.deepEqual(config, {
    ...parseExperimentConfig({
      ...input.base,
      preset: "seed",
      seed: 1,
      ppo: { epochs: 2 },
      evaluation: { requests: 50 },
    }),
  });
});

Deno.test("expandSweep() lets quick win over labelled axes, set over all", () => {
  const quick = { set: { "training.decisions": 10, "ppo.epochs": 3 } };
  const { trials } = expandSweep(defineSweep({ ...input, grid: {}, quick }), {
    quick: true,
    set: [{ path: "fault", value: "preset seed" }, { path: "ppo.gamma", value: 0.5 }],
  });
  assert.deepEqual(trials.map(({ label }) => label), ["least_outstanding", "ppo preset seed"]);
  const { training, ppo, reward } = trials[1]!.config;
  assert.deepEqual(
    [training.decisions, ppo.epochs, ppo.gamma, reward.mode],
    [10, 3, 0.5, "hybrid"],
  );
});

Deno.test("expandSweep() names the baselines of labelled scenarios by their label alone", () => {
  const at = (ratePerSecond: number) => ({ "workload.ratePerSecond": ratePerSecond }) as const;
  const { trials } = expandSweep(defineSweep({
    ...input,
    grid: {},
    variants: {
      load: { calm: at(3), busy: at(9) },
      reward_mode: { own: {}, delta: { "reward.mode": "delta" } },
    },
  }));
  assert.deepEqual(trials.map(({ label }) => label), [
    "least_outstanding calm",
    "least_outstanding busy",
    "ppo calm own",
    "ppo calm delta",
    "ppo busy own",
    "ppo busy delta",
  ]);
});

Deno.test("labelled axes: bad names, presets and labels are refused by their field", () => {
  const cases: [SweepInput["variants"], RegExp][] = [
    [{ reward: { a: {} } }, /sweep\.variants must be named .*, current value is "reward"/],
    [{ fault: { a: { preset: "sed" as "seed" } } }, /preset must be one of default, seed/],
    [{ "not snake": { a: {} } }, /named in snake_case/],
  ];
  for (const [variants, message] of cases) {
    assert.throws(
      () => defineSweep({ ...input, variants: variants! }),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  }
  assert.throws(
    () => expandSweep(defineSweep(input), { set: [{ path: "fault", value: "noen" }] }),
    /fault must be one of none, short rollouts, preset seed, current value is "?noen/,
  );
});
