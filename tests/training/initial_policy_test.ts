import assert from "node:assert/strict";
import { join } from "node:path";
import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  type Checkpoint,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  loadInitialPolicy,
  openScenario,
  type ResumableCheckpoint,
  saveCheckpoint,
  TrainingRun,
  trainPolicy,
  type UpdateRecord,
  useSimdBackend,
} from "../../lib/training/mod.ts";

await useSimdBackend();

const UPDATES = 4;
const SMALL = {
  preset: "seed",
  cluster: { replicas: [{ gpu: "a100", count: 3 }] },
  policy: { kind: "actor_critic", hiddenSize: 8, featureProjectionDim: 8 },
  training: { environments: 3, decisions: UPDATES * 48, episodeRequests: 60 },
  ppo: { rolloutLength: 16, minibatchSize: 16, epochs: 2, referenceKlDecaySteps: 20 },
  evaluation: { seeds: [1], requests: 50 },
} satisfies ExperimentInput;

/** A policy that two updates have left. */
async function createCheckpoint(input: ExperimentInput = SMALL): Promise<Checkpoint> {
  const run = new TrainingRun(await openScenario(parseExperimentConfig(input)), new Rng(5));
  run.update(UPDATES);
  run.update(UPDATES);
  const checkpoint = run.save();
  run.dispose();
  return checkpoint;
}

/** SMALL with the policy to begin with. */
function warm(folder: string, input: ExperimentInput = SMALL): ExperimentInput {
  return { ...input, training: { ...input.training, initialPolicy: folder } };
}

async function withCheckpoint(
  body: (folder: string, checkpoint: Checkpoint) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const checkpoint = await createCheckpoint();
    await saveCheckpoint(folder, checkpoint, { keepLast: 1 });
    await body(folder, checkpoint);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("trainPolicy() begins with training.initialPolicy and keeps its normaliser", async () => {
  await withCheckpoint(async (folder, { weights, normalizer }) => {
    const scenario = await openScenario(parseExperimentConfig(warm(folder)));
    const initial = await loadInitialPolicy(scenario);
    const run = new TrainingRun(scenario, new Rng(7), initial);
    const begun = run.save();
    assert.deepEqual(begun.weights, weights);
    assert.deepEqual(begun.normalizer, { ...normalizer, frozen: true });
    assert.ok(begun.normalizer.count[0]! > 100, "statistics of the first training");
    run.dispose();

    const records: UpdateRecord[] = [];
    const trained = await trainPolicy(scenario, {
      rng: new Rng(7),
      onUpdate: (record) => records.push(record),
    });
    // 6 steps an update at most; 0.5 falls to 0 over 20 steps.
    const coefficients = records.map(({ stats }) => stats.referenceKlCoef);
    let steps = 0;
    for (const [i, { stats }] of records.entries()) {
      steps += stats.stepsTaken;
      const expected = 0.5 * (1 - Math.min(1, steps / 20));
      assert.ok(Math.abs(coefficients[i]! - expected) < 1e-12, `${coefficients}`);
    }
    assert.ok(records[0]!.stats.referenceKl! < records.at(-1)!.stats.referenceKl!);
    assert.deepEqual(trained.normalizer.toJSON(), { ...normalizer, frozen: true });
    assert.notDeepEqual(trained.policy.getWeights(), weights);
    trained.policy.dispose();
  });
});

Deno.test("a run that begins with a policy is that policy until its first step", async () => {
  await withCheckpoint(async (folder) => {
    const config = parseExperimentConfig({
      ...warm(folder),
      ppo: { ...SMALL.ppo, minibatchSize: 48, epochs: 1 },
    });
    const scenario = await openScenario(config);
    const run = new TrainingRun(scenario, new Rng(7), await loadInitialPolicy(scenario));
    const { stats } = run.update(UPDATES);
    assert.equal(stats.stepsTaken, 1);
    assert.ok(Math.abs(stats.referenceKl!) < 1e-6, `${stats.referenceKl}`);
    run.dispose();
  });
});

Deno.test("a run that is held near a policy resumes byte for byte, without that policy's file", async () => {
  await withCheckpoint(async (folder) => {
    const scenario = await openScenario(parseExperimentConfig(warm(folder)));
    const initial = await loadInitialPolicy(scenario);
    await Deno.remove(folder, { recursive: true });
    await Deno.mkdir(folder); // for the clean-up
    const whole = new TrainingRun(scenario, new Rng(7), initial);
    while (whole.updatesDone < UPDATES) whole.update(UPDATES);
    const expected = encodeCheckpoint(whole.save());
    whole.dispose();

    const first = new TrainingRun(scenario, new Rng(7), initial);
    first.update(UPDATES);
    const saved = encodeCheckpoint(first.save());
    first.dispose();
    const resumed = new TrainingRun(
      scenario,
      new Rng(7),
      decodeCheckpoint(saved, "memory") as ResumableCheckpoint,
    );
    assert.deepEqual(encodeCheckpoint(resumed.save()), saved, "saved again at once");
    while (resumed.updatesDone < UPDATES) resumed.update(UPDATES);
    assert.deepEqual(encodeCheckpoint(resumed.save()), expected);
    resumed.dispose();
  });
});

Deno.test("loadInitialPolicy() refuses a policy that means something else, with the reason", async () => {
  await withCheckpoint(async (folder) => {
    const cases: [ExperimentInput, RegExp][] = [
      [
        { ...SMALL, cluster: { replicas: [{ gpu: "a100", count: 2 }] } },
        /its replicaCount must be 2, current value is 3$/,
      ],
      [{ ...SMALL, state: { layout: "signalbox" } }, /its schemaHash must be "[0-9a-f]{16}", curr/],
      [
        { ...SMALL, policy: { ...SMALL.policy, hiddenSize: 16 } },
        /its policy\.hiddenSize must be 16, current value is 8$/,
      ],
      [
        { ...SMALL, normalizer: { clip: 3 } },
        /its normalizer\.clip must be 3, current value is 5$/,
      ],
    ];
    for (const [input, message] of cases) {
      const scenario = await openScenario(parseExperimentConfig(warm(folder, input)));
      await assert.rejects(trainPolicy(scenario, { rng: new Rng(1) }), (error) => {
        assert.ok(error instanceof CheckpointError);
        assert.match(error.message, message);
        return true;
      });
    }
    const nowhere = join(folder, "nowhere");
    const scenario = await openScenario(parseExperimentConfig(warm(nowhere)));
    await assert.rejects(loadInitialPolicy(scenario), /nowhere: it must exist/);
  });
});

Deno.test("loadInitialPolicy() reads nothing unless it is told to", async () => {
  const scenario = await openScenario(parseExperimentConfig(SMALL));
  assert.equal(await loadInitialPolicy(scenario), undefined);
});
