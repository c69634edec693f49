/** Policies and batches that serve clusters of any size. */
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { createPolicy, policySchema } from "../../lib/policy/mod.ts";
import { ppoSchema, PpoTrainer } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { rewardSchema } from "../../lib/reward/mod.ts";
import { buildCluster, clusterSchema } from "../../lib/simulator/mod.ts";
import {
  normalizerSchema,
  RunningNormalizer,
  sharedStatisticSlots,
  stateSchema,
} from "../../lib/state/mod.ts";
import {
  collectRollout,
  createRolloutBuffer,
  evaluatePolicies,
  loadInitialPolicy,
  loadTrainedPolicy,
  openScenario,
  policyCheckpoint,
  policyEntry,
  resizeTrainedPolicy,
  saveCheckpoint,
  SchedulingEnvironment,
  type TrainedPolicy,
  trainPolicy,
  useSimdBackend,
  VectorEnvironment,
} from "../../lib/training/mod.ts";
import { openWorkload, workloadSchema } from "../../lib/workload/mod.ts";

await useSimdBackend();

type ClusterInput = NonNullable<ExperimentInput["cluster"]>;

/** Replicas with memories of three sizes: none is in the same state as another, even when idle. */
const REPLICAS = [{ gpu: "h100" }, { gpu: "a40" }, { gpu: "a100", tensorParallel: 2 }] as const;
const MIXED: ClusterInput = { replicas: [...REPLICAS] };

function inputOf(cluster: ClusterInput, change: ExperimentInput = {}): ExperimentInput {
  return {
    cluster,
    state: { layout: "signalbox" },
    policy: { kind: "replica_scorer", hiddenSize: 16, attentionHeads: 2 },
    normalizer: { shareReplicas: true },
    training: { environments: 2, decisions: 128, episodeRequests: 50 },
    ppo: { rolloutLength: 32, learningRate: 1e-3 },
    evaluation: { seeds: [1], requests: 150 },
    ...change,
  };
}

async function train(input: ExperimentInput): Promise<TrainedPolicy> {
  return await trainPolicy(await openScenario(parseExperimentConfig(input)), { rng: new Rng(1) });
}

/** Replica of every request of the evaluation run. */
async function routes(cluster: ClusterInput, trained: TrainedPolicy): Promise<Int32Array> {
  const scenario = await openScenario(parseExperimentConfig(inputOf(cluster)));
  const [run] = await evaluatePolicies(scenario, [policyEntry(trained, "policy", "greedy")]);
  return Int32Array.from(run!.result.outcomes.replica);
}

async function withSaved(
  trained: TrainedPolicy,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const checkpoint = policyCheckpoint(trained, { update: 2, decisions: 128 });
    await saveCheckpoint(folder, checkpoint, { keepLast: 1 });
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
    trained.policy.dispose();
  }
}

Deno.test("loadTrainedPolicy() reads a shared scorer for a cluster of another size", async () => {
  await withSaved(await train(inputOf(MIXED)), async (folder) => {
    const tensors = tf.memory().numTensors;
    for (const count of [1, 2, 6, 16]) {
      const trained = await loadTrainedPolicy(folder, { replicaCount: count });
      assert.equal(trained.replicaCount, count);
      const replicas = await routes({ replicas: [{ gpu: "a100", count }] }, trained);
      assert.ok(replicas.every((replica) => replica >= 0 && replica < count));
      assert.equal(new Set(replicas).size, count, "uses every replica");
      trained.policy.dispose();
    }
    assert.equal(tf.memory().numTensors, tensors);
  });
});

Deno.test("a policy and its normaliser do not depend on the order of the replicas", async () => {
  const trained = await train(inputOf(MIXED));
  const expected = await routes(MIXED, trained);
  assert.ok(new Set(expected).size > 1);
  const permutations = [[1, 2, 0], [2, 1, 0]];
  for (const order of permutations) {
    const shuffled = { replicas: order.map((from) => REPLICAS[from]!) };
    const actual = await routes(shuffled, trained);
    assert.deepEqual(actual.map((replica) => order[replica]!), expected);
  }
  trained.policy.dispose();
});

Deno.test("resizeTrainedPolicy() to the same size and back routes as before", async () => {
  const trained = await train(inputOf(MIXED));
  const expected = await routes(MIXED, trained);
  assert.equal(resizeTrainedPolicy(trained, 3), trained);
  const back = resizeTrainedPolicy(resizeTrainedPolicy(trained, 7), 3);
  assert.deepEqual(await routes(MIXED, back), expected);
  trained.policy.dispose();
});

Deno.test("loadTrainedPolicy() refuses another cluster size where something belongs to each replica", async () => {
  const cases: [ExperimentInput, RegExp][] = [
    [
      { policy: { kind: "mlp", hiddenSizes: [8] } },
      /^Cannot use the policy: the cluster must have 3 replicas, as in its training, since policy\.kind mlp has weights for every replica \(replica_scorer shares them\), current number is 4$/,
    ],
    [
      { policy: { kind: "replica_scorer", hiddenSize: 8, identitySize: 2 } },
      /since policy\.identitySize 2 gives every replica numbers of its own/,
    ],
    [
      { normalizer: { shareReplicas: false } },
      /since normalizer\.shareReplicas false keeps statistics of every replica/,
    ],
  ];
  for (const [change, message] of cases) {
    await withSaved(await train(inputOf(MIXED, change)), async (folder) => {
      const tensors = tf.memory().numTensors;
      await assert.rejects(loadTrainedPolicy(folder, { replicaCount: 4 }), {
        name: "UsageError",
        message,
      });
      assert.equal(tf.memory().numTensors, tensors);
      (await loadTrainedPolicy(folder, { replicaCount: 3 })).policy.dispose();
    });
  }
});

Deno.test("trainPolicy() goes on from a shared scorer in a cluster of another size", async () => {
  await withSaved(await train(inputOf(MIXED)), async (folder) => {
    const input = inputOf({ replicas: [{ gpu: "a100", count: 5 }] });
    const warm = { ...input, training: { ...input.training, initialPolicy: folder } };
    const scenario = await openScenario(parseExperimentConfig(warm));
    const { normalizer, weights } = (await loadInitialPolicy(scenario))!;
    const source = await loadTrainedPolicy(folder);
    assert.deepEqual(weights, source.policy.getWeights());
    assert.deepEqual(normalizer.mean, source.normalizer.toJSON().mean);
    source.policy.dispose();
    const trained = await trainPolicy(scenario, { rng: new Rng(2) });
    assert.equal(trained.replicaCount, 5);
    trained.policy.dispose();
  });
});

/** Clusters of the given sizes, with arrivals in proportion. */
async function createEnvironments(counts: readonly number[]): Promise<SchedulingEnvironment[]> {
  return await Promise.all(counts.map(async (count, n) => {
    const replicas = buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100", count }] }));
    const source = await openWorkload(
      workloadSchema.parse({ kind: "fitted", ratePerSecond: 3 * count }),
    );
    return new SchedulingEnvironment({
      replicas,
      createWorkload: (_episode, rng) => source.sample(rng, { count: 20 + n }, "train"),
      rng: new Rng(n),
      state: stateSchema.parse({ layout: "signalbox" }),
      reward: rewardSchema.parse({ mode: "sojourn" }),
    });
  }));
}

function normalizerFor(environment: SchedulingEnvironment): RunningNormalizer {
  const { layout } = environment;
  return new RunningNormalizer(
    layout.size,
    normalizerSchema.parse({}),
    sharedStatisticSlots(layout),
  );
}

Deno.test("VectorEnvironment pads smaller clusters and keeps the padding out of the statistics", async () => {
  const counts = [2, 5, 3];
  const members = await createEnvironments(counts);
  const normalizer = normalizerFor(members[1]!);
  const environments = new VectorEnvironment(members, { normalizer });
  const expected = normalizerFor(members[1]!);
  const twins = await createEnvironments(counts);
  const raw = twins.map((twin) => new Float32Array(twin.observationSize));
  environments.reset();
  twins.forEach((twin, n) => twin.reset(raw[n]!));
  function learn(): void {
    twins.forEach((twin, n) =>
      expected.withSlots(sharedStatisticSlots(twin.layout)).update(raw[n]!)
    );
  }
  for (let step = 0; step < 40; step++) {
    learn();
    twins.forEach(({ layout, observationSize }, n) => {
      const own = expected.withSlots(sharedStatisticSlots(layout))
        .normalize(raw[n]!, new Float32Array(observationSize));
      const row = environments.observations.subarray(
        n * environments.observationSize,
        (n + 1) * environments.observationSize,
      );
      const replicaPart = observationSize - layout.globalSize;
      assert.deepEqual(row.slice(0, replicaPart), own.slice(0, replicaPart));
      assert.deepEqual(row.slice(-layout.globalSize), own.slice(replicaPart));
      assert.ok(row.slice(replicaPart, -layout.globalSize).every((value) => value === 0));
      const mask = environments.actionMasks.subarray(5 * n, 5 * n + 5);
      assert.deepEqual([...mask], [0, 1, 2, 3, 4].map((r) => r < counts[n]! ? 1 : 0));
    });
    const actions = counts.map((count) => step % count);
    environments.step(actions);
    twins.forEach((twin, n) => {
      const { terminated, truncated } = twin.step(actions[n]!, raw[n]!);
      if (terminated || truncated) twin.reset(raw[n]!);
    });
  }
  learn();
  assert.deepEqual(normalizer.means(), expected.means());
  assert.throws(() => environments.step([2, 0, 0]), {
    name: "RangeError",
    message: "Cannot step: actions must be integers in [0, 2), current value is 2",
  });
});

Deno.test("PpoTrainer learns from clusters of 2 to 16 replicas in one rollout", async () => {
  const members = await createEnvironments([2, 16, 4, 7]);
  const { layout } = members[1]!;
  const environments = new VectorEnvironment(members, { normalizer: normalizerFor(members[1]!) });
  const rng = new Rng(1);
  const config = ppoSchema.parse({
    rolloutLength: 48,
    minibatchSize: 64,
    epochs: 2,
    learningRate: 1e-3,
    targetKl: null,
  });
  for (const attentionHeads of [0, 2]) {
    const policy = createPolicy(
      policySchema.parse({ kind: "replica_scorer", hiddenSize: 16, attentionHeads }),
      { ...environments, replicaLayout: layout },
      rng.stream("weights"),
    );
    const buffer = createRolloutBuffer(policy, config, { environmentCount: 4 });
    const trainer = new PpoTrainer(policy, config, { rng: rng.stream("minibatches") });
    for (let update = 0; update < 3; update++) {
      collectRollout(policy, environments, {
        buffer,
        rng: rng.stream(`actions ${update}`),
        config,
      });
      buffer.actions.forEach((action, i) => assert.equal(buffer.actionMasks[16 * i + action], 1));
      const { initialRatioDeviation, entropy, klExact } = trainer.update(buffer, { progress: 0 });
      assert.ok(initialRatioDeviation < 1e-5, `${initialRatioDeviation}`);
      assert.ok(klExact > 1e-9);
      // uniform over what is there: (ln 2 + ln 16 + ln 4 + ln 7) / 4
      assert.ok(entropy <= Math.log(2 * 16 * 4 * 7) / 4 + 1e-6, `${entropy}`);
    }
    trainer.dispose();
    policy.dispose();
  }
});
