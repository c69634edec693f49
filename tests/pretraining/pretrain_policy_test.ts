import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import {
  type PretrainedPolicy,
  type PretrainingConfig,
  pretrainingSchema,
  pretrainPolicy,
  splitEpisodes,
} from "../../lib/pretraining/mod.ts";
import { createPolicy } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { RunningNormalizer, sharedStatisticSlots, StateBuilder } from "../../lib/state/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";
import { useSimdBackend } from "../../lib/training/mod.ts";
import { collect, SMALL } from "./_datasets.ts";

await useSimdBackend();

const DATA = await collect({
  routers: ["least_outstanding"],
  rateScales: [0.7, 1.3],
  episodes: 5,
  requests: 400,
});

/** Small batches: there are few decisions. */
const FAST = { batchSize: 64, learningRate: 2e-3 } as const;

function pretrain(
  input: ExperimentInput,
  config: Partial<PretrainingConfig>,
  data = DATA,
): Promise<PretrainedPolicy> {
  return pretrainPolicy(parseExperimentConfig({ ...SMALL, ...input }), data, {
    config: pretrainingSchema.parse(config),
    rng: new Rng(3),
  });
}

const KINDS: Readonly<Record<string, ExperimentInput>> = {
  "mlp": {},
  "replica_scorer without its head start": {
    policy: { kind: "replica_scorer", hiddenSize: 16, loadResidualSlope: 0, sharedEncoder: true },
  },
  "recurrent actor_critic": {
    policy: {
      kind: "actor_critic",
      hiddenSize: 32,
      featureProjectionDim: 32,
      layerN: 1,
      gruLayers: 1,
      boundedLogits: false,
    },
  },
};

// Gate (iii) of spec/scheduler.md A6.
for (const [name, input] of Object.entries(KINDS)) {
  Deno.test(`pretrainPolicy() (${name}) clones least_outstanding: 95 % agreement without ties`, async () => {
    const { trained, agreements, epochs } = await pretrain(input, { ...FAST, epochs: 20 });
    const { decisionCount, agreement, tieFreeCount, tieFreeAgreement } = agreements.get(
      "least_outstanding",
    )!;
    assert.equal(decisionCount, 800, "two of ten episodes are held out");
    assert.ok(tieFreeCount > 100, `${tieFreeCount}`);
    assert.ok(tieFreeAgreement! >= 0.95, `${tieFreeAgreement}`);
    assert.ok(agreement >= tieFreeAgreement!, "ties pass");
    const losses = epochs.map(({ validationLoss }) => validationLoss);
    assert.ok(losses[0]! > 2 * Math.min(...losses), "it had to be learnt");
    trained.policy.dispose();
  });
}

Deno.test("pretrainPolicy() clones actions where the targets are hard", async () => {
  const { trained, agreements } = await pretrain({}, { ...FAST, epochs: 10, targets: "hard" });
  assert.ok(agreements.get("least_outstanding")!.tieFreeAgreement! >= 0.95);
  trained.policy.dispose();
});

Deno.test("pretrainPolicy() gives the same weights again, others for another generator", async () => {
  const input = KINDS["recurrent actor_critic"]!;
  const [first, second] = [
    await pretrain(input, { epochs: 2 }),
    await pretrain(input, { epochs: 2 }),
  ];
  assert.deepEqual(first.trained.policy.getWeights(), second.trained.policy.getWeights());
  assert.deepEqual(first.epochs, second.epochs);
  const other = await pretrainPolicy(parseExperimentConfig({ ...SMALL, ...input }), DATA, {
    config: pretrainingSchema.parse({ epochs: 2 }),
    rng: new Rng(4),
  });
  assert.notDeepEqual(first.trained.policy.getWeights(), other.trained.policy.getWeights());
  for (const { trained } of [first, second, other]) trained.policy.dispose();
});

Deno.test("pretrainPolicy() fits the normaliser to the training episodes and freezes it", async () => {
  const { trained } = await pretrain({}, { epochs: 1 });
  const { config, normalizer, policy } = trained;
  const { layout } = new StateBuilder(config.state, 3);
  const { training } = splitEpisodes(DATA.manifest, 0.2, new Rng(3).stream("split"));
  assert.equal(training.length, 8);
  const expected = new RunningNormalizer(
    layout.size,
    config.normalizer,
    sharedStatisticSlots(layout),
  );
  for (const e of training) {
    const begin = DATA.episodeRows[e]! * layout.size;
    expected.update(DATA.observations.subarray(begin, begin + 400 * layout.size));
  }
  assert.deepEqual(normalizer.toJSON(), { ...expected.toJSON(), frozen: true });
  policy.dispose();
});

Deno.test("pretrainPolicy() trains every layer that decides and leaves the value head alone", async () => {
  const { trained } = await pretrain({}, { epochs: 1 });
  const { policy, config } = trained;
  const fresh = createPolicy(config.policy, policy, new Rng(3).stream("weights"));
  const [before, after] = [fresh.getWeights(), policy.getWeights()];
  for (const [name, { values }] of Object.entries(after)) {
    const moved = values.some((value, i) => value !== before[name]!.values[i]);
    assert.equal(moved, name.startsWith("actor."), name);
  }
  fresh.dispose();
  policy.dispose();
});

Deno.test("pretrainPolicy() stops when the loss on held-out episodes no longer falls and takes its best", async () => {
  const config = { epochs: 60, patience: 2, learningRate: 0.05, targets: "hard" } as const;
  const { trained, epochs, bestEpoch, stoppedEarly, agreements } = await pretrain({}, config);
  assert.ok(stoppedEarly && epochs.length < 60);
  assert.equal(epochs.length, bestEpoch + 2);
  const losses = epochs.map(({ validationLoss }) => validationLoss);
  assert.equal(losses.indexOf(Math.min(...losses)), bestEpoch - 1);
  const best = epochs[bestEpoch - 1]!;
  assert.deepEqual(
    agreements.get("least_outstanding"),
    best.agreement,
    "weights of the best epoch",
  );
  assert.equal(epochs.findLast(({ isBest }) => isBest), best);
  trained.policy.dispose();
});

Deno.test("pretrainPolicy() learns from nobody whose weight is 0", async () => {
  const options = { rateScales: [0.7, 1.3], episodes: 2, requests: 400 };
  const data = await collect({ routers: ["least_outstanding", "random"], ...options });
  const weights = { random: 0 };
  const { trained, agreements } = await pretrain({}, { ...FAST, epochs: 20, weights }, data);
  assert.ok(agreements.get("least_outstanding")!.tieFreeAgreement! > 0.9);
  const { agreement, tieFreeAgreement } = agreements.get("random")!;
  assert.ok(agreement < 0.45, `one in three by chance, ${agreement}`);
  assert.equal(tieFreeAgreement, null);
  trained.policy.dispose();
});

const VIDURRL: ExperimentInput = { state: { layout: "vidurrl" } };
const NARROWER: Readonly<Record<string, [collected: ExperimentInput, used: ExperimentInput]>> = {
  "the preset's columns for the value": [{ policy: { kind: "replica_scorer" } }, {}],
  "history, waits and requests": [
    { state: { ...VIDURRL.state, queueDelayFeatures: true } },
    { state: { ...VIDURRL.state, enhancedFeatures: false, maxQueueRequests: 2 } },
  ],
};
for (const [name, [collected, used]] of Object.entries(NARROWER)) {
  Deno.test(`pretrainPolicy() leaves out columns that a policy does not see: ${name}`, async () => {
    const options = { routers: ["least_outstanding"], episodes: 2, requests: 60 };
    const wide = await collect(options, collected);
    const narrow = await collect(options, used);
    assert.ok(wide.observations.length > narrow.observations.length);
    const [fromWide, fromNarrow] = [
      await pretrain(used, { epochs: 1 }, wide),
      await pretrain(used, { epochs: 1 }, narrow),
    ];
    assert.deepEqual(fromWide.trained.policy.getWeights(), fromNarrow.trained.policy.getWeights());
    for (const { trained } of [fromWide, fromNarrow]) trained.policy.dispose();
  });
}

Deno.test("pretrainPolicy() refuses what does not fit, and leaves no tensors behind", async () => {
  const before = tf.memory().numTensors;
  const cases: [ExperimentInput, Partial<PretrainingConfig>, RegExp][] = [
    [
      { cluster: { replicas: [{ gpu: "a100", count: 2 }] } },
      {},
      /replicaCount of the demonstrations must be 2, as in the experiment, current value is 3/,
    ],
    [
      { state: { layout: "vidurrl" } },
      {},
      /schemaHash of the demonstrations must be [0-9a-f]{16}, .*; collect them again, with deno task demos collect, its options of then and --set 'state\.layout=vidurrl'$/,
    ],
    [
      { state: { layout: "signalbox", replicaEmaSeconds: 7 } },
      {},
      /and --set 'state\.replicaEmaSeconds=7'$/,
    ],
    [
      { policy: { kind: "replica_scorer", sharedEncoder: false } },
      {},
      /and --set 'state\.criticSeesOutputTokens=true' --set 'policy=\{"kind":"replica_scorer",/,
    ],
  ];
  for (const [input, config, message] of cases) {
    await assert.rejects(pretrain(input, config), { name: "UsageError", message });
  }
  for (
    const [key, config] of [
      ["weights", { weights: { lor: 1 } }],
      ["temperatures", { temperatures: { lor: 1 } }],
      ["weights", { weights: { least_outstanding: 0 } }],
    ] as const
  ) {
    await assert.rejects(
      pretrain({}, config),
      (error) => error instanceof ConfigError && error.field === `pretraining.${key}`,
    );
  }
  await assert.rejects(
    pretrainPolicy(parseExperimentConfig(SMALL), DATA, {
      config: pretrainingSchema.parse({}),
      rng: new Rng(3),
      signal: AbortSignal.abort(new Error("enough")),
    }),
    /enough/,
  );
  const { trained } = await pretrain({}, { epochs: 1 });
  trained.policy.dispose();
  assert.equal(tf.memory().numTensors, before);
});
