/** The gate of the scheduler itself: seed 1, 12,800 decisions, five held-out episodes. */
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { registerSimdBackend } from "../../lib/kernels/mod.ts";
import { createPolicy, type Policy, policySchema } from "../../lib/policy/mod.ts";
import { ppoSchema, PpoTrainer, RewardScaler } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { rewardSchema } from "../../lib/reward/mod.ts";
import { type ReplicaSpec, schedulerSchema } from "../../lib/simulator/mod.ts";
import {
  normalizerSchema,
  RunningNormalizer,
  sharedStatisticSlots,
  stateSchema,
} from "../../lib/state/mod.ts";
import { CreditQueue } from "../../lib/training/credit_queue.ts";
import { collectCreditedRollout } from "../../lib/training/credited_rollout.ts";
import {
  createRolloutBuffer,
  SchedulingEnvironment,
  VectorEnvironment,
} from "../../lib/training/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";

await tf.setBackend(registerSimdBackend());

const ENVIRONMENTS = 8;
const UPDATES = 25;

/** A replica whose iterations take `slowness` times 10 ms plus 0.1 ms a token. */
function replica(slowness: number): ReplicaSpec {
  return {
    gpu: `slowness ${slowness}`,
    model: "made up",
    tensorParallel: 1,
    stageCount: 1,
    kvBlocks: 10_000,
    maxBatchSize: 128,
    scheduler: schedulerSchema.parse({}),
    timer: {
      modelSeconds: (batch) => slowness * (0.01 + 1e-4 * batch.totalTokens),
      overheadSeconds: () => 0,
    },
  };
}

/** Nine requests a second of very different sizes: more than the fast replica can take alone. */
function createWorkload(_episodeIndex: number, rng: Rng): Workload {
  const count = 300;
  const arrivalSeconds = new Float64Array(count);
  let now = 0;
  for (let i = 0; i < count; i++) arrivalSeconds[i] = now += rng.exponential(9);
  return {
    name: "mixed sizes",
    count,
    arrivalSeconds,
    promptTokens: Int32Array.from({ length: count }, () => 20 + rng.below(2000)),
    outputTokens: Int32Array.from({ length: count }, () => 1 + rng.below(100)),
  };
}

/** The fast replica is the second, so that no preference for the first can help. */
function createEnvironment(rng: Rng): SchedulingEnvironment {
  return new SchedulingEnvironment({
    replicas: [replica(4), replica(1)],
    createWorkload,
    rng,
    state: stateSchema.parse({ layout: "signalbox" }),
    reward: rewardSchema.parse({ mode: "request" }),
  });
}

/** Mean latency and share of the fast replica over held-out episodes. */
function evaluate(choose: (observation: Float32Array, step: number) => number) {
  const environment = createEnvironment(new Rng(1000));
  const observation = new Float32Array(environment.observationSize);
  let fast = 0;
  for (let episode = 0; episode < 5; episode++) {
    environment.reset(observation);
    for (let step = 0;; step++) {
      const action = choose(observation, step);
      fast += action;
      if (environment.step(action, observation).terminated) break;
    }
  }
  const { decisionCount, latencySumSeconds } = environment.totals;
  return { latencySeconds: latencySumSeconds / decisionCount, fastShare: fast / decisionCount };
}

/** The same for a policy that samples its actions. */
function evaluatePolicy(policy: Policy, normalizer: RunningNormalizer) {
  const sampler = new Rng(7);
  const scaled = new Float32Array(normalizer.size);
  return evaluate((observation) => {
    normalizer.normalize(observation, scaled);
    return policy.act(scaled, { sampler }).actions[0]!;
  });
}

Deno.test("PPO with request credit finds out by itself which of two replicas is four times faster", () => {
  const rng = new Rng(1);
  const members = Array.from(
    { length: ENVIRONMENTS },
    (_, n) => createEnvironment(rng.stream(`environment ${n}`)),
  );
  const { layout } = members[0]!;
  const normalizer = new RunningNormalizer(
    layout.size,
    normalizerSchema.parse({}),
    sharedStatisticSlots(layout),
  );
  const environments = new VectorEnvironment(members, { normalizer });
  const policy = createPolicy(
    // Without the residual: nothing tells the policy to prefer the shorter queue.
    policySchema.parse({ kind: "replica_scorer", hiddenSize: 32, loadResidualSlope: 0 }),
    { ...environments, replicaLayout: layout },
    rng.stream("weights"),
  );
  const config = ppoSchema.parse({
    learningRate: 3e-3,
    learningRateSchedule: "linear",
    rolloutLength: 64,
    minibatchSize: 256,
    epochs: 3,
    entropyCoef: 0.003,
    klCoef: 0,
    targetKl: null,
  });
  const trainer = new PpoTrainer(policy, config, { rng: rng.stream("minibatches") });
  const options = {
    buffer: createRolloutBuffer(policy, config, { environmentCount: ENVIRONMENTS }),
    queue: new CreditQueue({ firstDecisions: new Array(ENVIRONMENTS).fill(0), hiddenStateSize: 0 }),
    takeCredits: (n: number) => members[n]!.takeCredits(),
    rewardScaler: new RewardScaler({ environmentCount: ENVIRONMENTS, gamma: 0, clip: 10 }),
    rng: rng.stream("actions"),
    config,
  };
  environments.reset();
  const before = evaluatePolicy(policy, normalizer);
  for (let update = 0; update < UPDATES; update++) {
    collectCreditedRollout(policy, environments, options);
    trainer.update(options.buffer, { progress: update / UPDATES });
  }
  normalizer.freeze();
  const after = evaluatePolicy(policy, normalizer);
  const roundRobin = evaluate((_observation, step) => step % 2);
  const alwaysFast = evaluate(() => 1);
  // spec/scheduler.md appendix A6: at least 70 % to the fast replica, 15 % better than round robin.
  assert.ok(after.fastShare >= 0.7, `share of the fast replica ${after.fastShare}`);
  assert.ok(after.latencySeconds <= 0.85 * roundRobin.latencySeconds, `${after.latencySeconds} s`);
  // It must also know when to use the slow one.
  assert.ok(after.latencySeconds <= 0.85 * alwaysFast.latencySeconds, `${after.latencySeconds} s`);
  // The untrained policy passes none of this.
  assert.ok(before.fastShare < 0.7);
  assert.ok(before.latencySeconds > 0.85 * roundRobin.latencySeconds);
  trainer.dispose();
  policy.dispose();
});
