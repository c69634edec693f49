import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  listCheckpoints,
  loadCheckpoint,
  loadTrainedPolicy,
  openScenario,
  type Scenario,
  TrainingRun,
  trainPolicy,
  type UpdateRecord,
  useSimdBackend,
} from "../../lib/training/mod.ts";
import assert from "node:assert/strict";
import { join } from "node:path";

await useSimdBackend();

const UPDATES = 5;
const SMALL = {
  training: {
    environments: 3,
    decisions: UPDATES * 3 * 16,
    episodeRequests: 60,
    statisticsStabilizationSteps: 20,
  },
  ppo: { rolloutLength: 16, minibatchSize: 16, epochs: 2 },
  evaluation: { seeds: [1], requests: 50 },
} satisfies ExperimentInput;

const RECURRENT = { kind: "actor_critic", hiddenSize: 8, featureProjectionDim: 8 } as const;

/** Runs that remember different things. */
const CASES: Readonly<Record<string, ExperimentInput>> = {
  "the preset seed, a smaller network": { ...SMALL, preset: "seed", policy: RECURRENT },
  "the preset default": SMALL,
  "scaled rewards, changing schedules and a discount per second": {
    ...SMALL,
    policy: { kind: "mlp", hiddenSizes: [8] },
    reward: { mode: "sojourn" },
    ppo: {
      ...SMALL.ppo,
      rewardScaling: true,
      learningRateSchedule: "linear",
      entropyCoefFinal: 0,
    },
    training: { ...SMALL.training, discountTauSeconds: 20 },
  },
  "normalised returns and an optimiser for the critic": {
    ...SMALL,
    policy: { kind: "replica_scorer", hiddenSize: 8, sharedEncoder: false },
    state: { layout: "signalbox" },
    ppo: { ...SMALL.ppo, optimizers: "separate", returnNormalization: true },
  },
  "rewards that come late": {
    ...SMALL,
    policy: { kind: "replica_scorer", hiddenSize: 8 },
    state: { layout: "signalbox", decodeLengths: "predicted" },
    reward: { mode: "request" },
  },
  "rewards that come late to a recurrent policy": {
    ...SMALL,
    policy: RECURRENT,
    reward: { mode: "request" },
  },
  "a mixture of clusters of several sizes": {
    ...SMALL,
    training: {
      ...SMALL.training,
      mixture: [
        { rateScale: [0.5, 0.9] },
        { cluster: { replicas: [{ gpu: "a100", count: 6 }] } },
        { cluster: { replicas: [{ gpu: "h100" }, { gpu: "a40" }] }, rateScale: [0.2, 0.4] },
      ],
    },
  },
  "a temperature controller and a curriculum": {
    ...SMALL,
    reward: { mode: "hybrid" },
    policy: RECURRENT,
    training: {
      ...SMALL.training,
      temperature: { mode: "pulse" },
      curriculum: [
        { decisions: 70, rateScale: 0.5, rewardPenaltyScale: 0.5 },
        { decisions: 70, rateScale: 0.7, latencyThresholdScale: 2 },
      ],
    },
  },
};

/** Runs updates from one number done to another; the run is freed. */
function runUpdates(run: TrainingRun, until: number): [UpdateRecord[], Uint8Array] {
  const records: UpdateRecord[] = [];
  while (run.updatesDone < until) records.push(run.update(UPDATES));
  const bytes = encodeCheckpoint(run.save());
  run.dispose();
  return [records, bytes];
}

for (const [name, input] of Object.entries(CASES)) {
  Deno.test(`TrainingRun resumes byte for byte: ${name}`, async () => {
    const scenario = await openScenario(parseExperimentConfig(input));
    const [expectedRecords, expected] = runUpdates(new TrainingRun(scenario, new Rng(7)), UPDATES);
    for (const stop of [1, 3]) {
      const [first, saved] = runUpdates(new TrainingRun(scenario, new Rng(7)), stop);
      const checkpoint = decodeCheckpoint(saved, "memory") as Resumable;
      const resumed = new TrainingRun(scenario, new Rng(7), checkpoint);
      assert.deepEqual(encodeCheckpoint(resumed.save()), saved, "saved again at once");
      const [rest, actual] = runUpdates(resumed, UPDATES);
      assert.deepEqual([...first, ...rest], expectedRecords);
      assert.deepEqual(actual, expected);
    }
    assert.ok(expectedRecords.every(({ stats }) => stats.stepsTaken > 0), "something was learnt");
  });
}

type Resumable = Checkpoint & { training: NonNullable<Checkpoint["training"]> };

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Trains with checkpoints; returns what was reported. */
async function train(
  scenario: Scenario,
  folder: string,
  options: { readonly resume?: Checkpoint; readonly stopAfter?: number } = {},
): Promise<UpdateRecord[]> {
  const records: UpdateRecord[] = [];
  const abort = new AbortController();
  const trained = await trainPolicy(scenario, {
    rng: new Rng(scenario.config.seed),
    checkpoints: { folder, everyUpdates: 2, keepLast: 9 },
    resume: options.resume,
    signal: abort.signal,
    onUpdate: (record) => {
      records.push(record);
      if (record.update === options.stopAfter) abort.abort(new Error("stopped by the test"));
    },
  });
  trained.policy.dispose();
  return records;
}

const scenario = await openScenario(
  parseExperimentConfig(CASES["a temperature controller and a curriculum"]),
);

Deno.test("trainPolicy() saves on time, when stopped and at the end, and resumes from any", async () => {
  await inTemporaryFolder(async (folder) => {
    const [whole, stopped] = [join(folder, "whole"), join(folder, "stopped")];
    const expected = await train(scenario, whole);
    const updatesIn = async (path: string) =>
      (await listCheckpoints(path)).map(({ update }) => update);
    assert.deepEqual(await updatesIn(whole), [2, 4, 5]);
    await assert.rejects(train(scenario, stopped, { stopAfter: 3 }), /stopped by the test/);
    assert.deepEqual(await updatesIn(stopped), [2, 3]);
    const { checkpoint } = await loadCheckpoint(stopped);
    assert.deepEqual(await train(scenario, stopped, { resume: checkpoint }), expected.slice(3));
    const [{ path: a }, { path: b }] = [await loadCheckpoint(whole), await loadCheckpoint(stopped)];
    assert.deepEqual(await Deno.readFile(a), await Deno.readFile(b));
    const trained = await loadTrainedPolicy(stopped);
    assert.equal(trained.normalizer.frozen, true);
    trained.policy.dispose();
  });
});

Deno.test("trainPolicy() refuses to resume what does not fit, with the reason", async () => {
  await inTemporaryFolder(async (folder) => {
    await train(scenario, folder);
    const { checkpoint } = await loadCheckpoint(folder);
    const other = await openScenario({
      ...scenario.config,
      ppo: { ...scenario.config.ppo, clipRatio: 0.3 },
    });
    const shorter = await openScenario({
      ...scenario.config,
      training: { ...scenario.config.training, decisions: 10 },
    });
    const refusals: [Promise<unknown>, RegExp][] = [
      [
        train(other, folder, { resume: checkpoint }),
        /ppo\.clipRatio must be 0\.2, as in the checkpoint, current value is 0\.3$/,
      ],
      [
        train(shorter, folder, { resume: checkpoint }),
        /must have at least 5 updates, as in the checkpoint, current value is 1$/,
      ],
      [
        train(scenario, folder, { resume: { ...checkpoint, training: null } }),
        /holds a policy, but no training state$/,
      ],
      [
        trainPolicy(scenario, { rng: new Rng(99), resume: checkpoint }),
        /rng\.seed must be 0, as in the checkpoint, current value is 99$/,
      ],
    ];
    for (const [refused, message] of refusals) {
      await assert.rejects(refused, { name: "UsageError", message });
    }
  });
});

Deno.test("TrainingRun acts and learns at the same temperature", async () => {
  for (const mode of ["document", "pulse"] as const) {
    const config = parseExperimentConfig({
      ...CASES["the preset seed, a smaller network"],
      training: { ...SMALL.training, temperature: { mode } },
    });
    const [records] = runUpdates(new TrainingRun(await openScenario(config), new Rng(1)), 2);
    for (const { stats, temperature } of records) {
      assert.ok(Math.abs(temperature - 1) > 0.1, `the temperature is ${temperature}`);
      // float32 log-probabilities of 4 actions: some units of 1e-7.
      assert.ok(stats.initialRatioDeviation < 1e-5, `${mode}: ${stats.initialRatioDeviation}`);
    }
  }
});

Deno.test("TrainingRun keeps values in units of returns, whenever rewards come", async () => {
  for (const mode of ["sojourn", "request"] as const) {
    const config = parseExperimentConfig({
      ...SMALL,
      policy: { kind: "mlp", hiddenSizes: [8] },
      reward: { mode },
      // Steps of no length: between updates nothing changes but the units.
      ppo: { ...SMALL.ppo, returnNormalization: true, learningRate: 1e-12 },
    });
    const run = new TrainingRun(await openScenario(config), new Rng(1));
    const records = [1, 2, 3].map(() => run.update(UPDATES));
    const { trainer: { returns } } = run.save().training!;
    run.dispose();
    assert.equal(returns!.count, 3 * 3 * 16);
    const deviation = Math.sqrt(returns!.squaredDeviation / returns!.count);
    assert.ok(Math.abs(returns!.mean) > deviation, "what the critic says is far from a return");
    for (const { valueMean } of records) {
      // Values of an untrained network; in the critic's units they would be -mean / deviation.
      assert.ok(Math.abs(valueMean) < 1, `${mode}: ${valueMean}`);
    }
  }
});

Deno.test("TrainingRun goes through the curriculum and keeps the tail of latencies", () => {
  const [records] = runUpdates(new TrainingRun(scenario, new Rng(1)), UPDATES);
  // 48 decisions an update, stages of 70.
  assert.deepEqual(records.map(({ curriculum }) => curriculum.stageIndex), [0, 1, 2, 2, 2]);
  // The 21 decisions of the stabilisation, 7 of each simulation, do not count.
  assert.equal(records[0]!.curriculum.stageProgress, 48 / 70);
  for (const { tailLatency } of records.slice(1)) {
    assert.ok(tailLatency !== null && tailLatency.p99.maxSeconds >= tailLatency.cluster.p90Seconds);
  }
});
