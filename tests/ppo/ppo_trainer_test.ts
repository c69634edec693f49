import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { registerSimdBackend } from "../../lib/kernels/mod.ts";
import type { NamedWeights } from "../../lib/policy/mod.ts";
import { type PpoConfig, ppoSchema, PpoTrainer, type PpoTrainerState } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { CONFIGS } from "../policy/_policies.ts";
import { createTraining } from "./_training.ts";

for (const name of Object.keys(CONFIGS)) {
  Deno.test(`PpoTrainer (${name}): ratios are 1 before the first step, with temperature, masks and resets`, () => {
    const { policy, buffer, update } = createTraining(name, { returnNormalization: true });
    for (let i = 0; i < 3; i++) {
      const { initialRatioDeviation, klExact } = update();
      assert.ok(initialRatioDeviation < 1e-5, `rollout ${i}: ${initialRatioDeviation}`);
      assert.ok(klExact > 1e-8, "later minibatches move");
    }
    assert.ok(buffer.episodeStarts.slice(2).includes(1), "resets inside sequences");
    assert.ok(buffer.actionMasks.includes(0), "forbidden actions");
    policy.dispose();
  });

  Deno.test(`PpoTrainer (${name}): an update moves every parameter and leaks no tensor`, () => {
    const { policy, update } = createTraining(name);
    const before = policy.getWeights();
    const tensors = tf.memory().numTensors;
    update();
    assert.equal(tf.memory().numTensors, tensors);
    for (const [parameter, { values }] of Object.entries(policy.getWeights())) {
      assert.notDeepEqual(values, before[parameter]!.values, parameter);
    }
    policy.dispose();
  });

  Deno.test(`PpoTrainer (${name}): two runs with the same seeds are identical`, () => {
    const [first, second] = [createTraining(name), createTraining(name)];
    for (let i = 0; i < 2; i++) assert.deepEqual(first.update(), second.update());
    assert.deepEqual(first.policy.getWeights(), second.policy.getWeights());
    first.policy.dispose();
    second.policy.dispose();
  });
}

Deno.test("PpoTrainer.setState() continues bit for bit", () => {
  const ppo: Partial<PpoConfig> = { optimizers: "separate", returnNormalization: true };
  const { policy, buffer, trainer, collect, update } = createTraining(
    "actor_critic decoupled",
    ppo,
  );
  update();
  const [weights, state] = [policy.getWeights(), trainer.getState()];
  collect();
  const config = ppoSchema.parse({ minibatchSize: 8, epochs: 2, targetKl: null, ...ppo });
  function continueFrom(saved: PpoTrainerState | undefined): NamedWeights {
    policy.setWeights(weights);
    const continued = new PpoTrainer(policy, config, { rng: new Rng(8) });
    if (saved !== undefined) continued.setState(saved);
    continued.update(buffer, { progress: 0 });
    continued.dispose();
    return policy.getWeights();
  }
  const uninterrupted = continueFrom(trainer.getState());
  assert.deepEqual(continueFrom(structuredClone(state)), uninterrupted);
  const other = createTraining("actor_critic decoupled", { ...ppo, returnNormalization: false });
  assert.throws(() => other.trainer.setState(state), {
    name: "RangeError",
    message:
      "Cannot restore the trainer: returns must be absent when returnNormalization is false, current value is given",
  });
  other.policy.dispose();
  assert.notDeepEqual(continueFrom(undefined), uninterrupted, "the optimiser's moments matter");
  policy.dispose();
});

Deno.test("PpoTrainer.update() stops before a step that follows too large a divergence", () => {
  const ppo = { learningRate: 0.05, epochs: 10 };
  const { policy, update } = createTraining("mlp tanh", { ...ppo, targetKl: 1e-4 });
  const stats = update();
  assert.equal(stats.stoppedEarly, true);
  assert.ok(stats.epochsRun < 10);
  assert.ok(stats.stepsTaken >= 1, "the first minibatch has no divergence yet");
  policy.dispose();
  const free = createTraining("mlp tanh", { ...ppo, targetKl: null });
  const { stoppedEarly, epochsRun, stepsTaken } = free.update();
  assert.deepEqual({ stoppedEarly, epochsRun, stepsTaken }, {
    stoppedEarly: false,
    epochsRun: 10,
    stepsTaken: 20,
  });
  free.policy.dispose();
});

Deno.test("PpoTrainer.update() stops at one and a half times targetKl", () => {
  const stepsOf = (targetKl: number | null) => {
    const { policy, update } = createTraining("mlp tanh", {
      learningRate: 0.01,
      epochs: 1,
      targetKl,
    });
    const { klExact, stepsTaken } = update();
    policy.dispose();
    return { klExact, stepsTaken };
  };
  const { klExact, stepsTaken } = stepsOf(null);
  assert.equal(stepsTaken, 2);
  const second = 2 * klExact; // before its first step the policy is where it was
  assert.equal(stepsOf(1.01 * second / 1.5).stepsTaken, 2);
  assert.equal(stepsOf(0.99 * second / 1.5).stepsTaken, 1);
});

Deno.test("PpoTrainer.update() follows the schedules", () => {
  const { policy, update } = createTraining("mlp tanh", {
    learningRate: 0.004,
    learningRateSchedule: "linear",
    entropyCoef: 0.2,
    entropyCoefFinal: 0,
  });
  const { learningRate, entropyCoef } = update(0.5);
  assert.deepEqual({ learningRate, entropyCoef }, { learningRate: 0.002, entropyCoef: 0.1 });
  const before = policy.getWeights();
  assert.equal(update(1).learningRate, 0);
  assert.deepEqual(policy.getWeights(), before);
  policy.dispose();
});

/** Statistics of the first update, the policy's weights after it and the advantages it left. */
function firstUpdate(ppo: Partial<PpoConfig>) {
  const { policy, buffer, update } = createTraining("mlp tanh", ppo);
  const stats = update();
  const weights = policy.getWeights();
  policy.dispose();
  return { stats, weights, advantages: buffer.advantages };
}

Deno.test("PpoTrainer.update() reads every hyper-parameter", () => {
  const base = { epochs: 3, learningRate: 0.02 };
  const { weights } = firstUpdate(base);
  const changes: readonly Partial<PpoConfig>[] = [
    { learningRate: 0.01 },
    { adamBeta1: 0.5 },
    { adamBeta2: 0.9 },
    { adamEpsilon: 0.1 },
    { gamma: 0.5 },
    { gaeLambda: 0.5 },
    { clipRatio: 0.01 },
    { valueClipRatio: 0.01 },
    { valueCoef: 2 },
    { entropyCoef: 0 },
    { entropyFloor: 5 },
    { entropyCeiling: 0.5 },
    { entropyWarmupCoef: 1 },
    { klCoef: 2 },
    { epochs: 2 },
    { minibatchSize: 4 },
    { advantageNormalization: "none" },
    { advantageNormalization: "rollout" },
    { maxGradNorm: 0.01 },
    { maxGradNorm: null },
    { optimizers: "separate" },
    { returnNormalization: true },
  ];
  for (const change of changes) {
    assert.notDeepEqual(
      firstUpdate({ ...base, ...change }).weights,
      weights,
      JSON.stringify(change),
    );
  }
  const floor = firstUpdate({ ...base, entropyFloor: 5, entropyFloorCoef: 3 }).weights;
  assert.notDeepEqual(floor, firstUpdate({ ...base, entropyFloor: 5 }).weights);
  const ceiling = { ...base, entropyCeiling: 0.5 };
  assert.notDeepEqual(
    firstUpdate({ ...ceiling, entropyCeilingCoef: 3 }).weights,
    firstUpdate(ceiling).weights,
  );
  const warmup = { ...base, entropyWarmupCoef: 1 };
  assert.notDeepEqual(
    firstUpdate({ ...warmup, entropyWarmupSteps: 2 }).weights,
    firstUpdate(warmup).weights,
  );
  const separate = { ...base, optimizers: "separate" } as const;
  const critic: readonly Partial<PpoConfig>[] = [
    { criticLearningRate: 0.01 },
    { criticMaxGradNorm: 0.01 },
    { criticMaxGradNorm: null },
  ];
  for (const change of critic) {
    assert.notDeepEqual(
      firstUpdate({ ...separate, ...change }).weights,
      firstUpdate(separate).weights,
      JSON.stringify(change),
    );
  }
});

Deno.test("PpoTrainer.update() lets the entropy's weight warm up over optimiser steps", () => {
  const { policy, update } = createTraining("mlp tanh", {
    entropyCoef: 0.25,
    entropyWarmupCoef: 0.5,
    entropyWarmupSteps: 8,
  });
  // four steps an update: 0.25 + 0.5 (1 - 4 / 8), then nothing is left
  assert.deepEqual([update(), update(), update()].map(({ entropyCoef }) => entropyCoef), [
    0.5,
    0.25,
    0.25,
  ]);
  policy.dispose();
});

Deno.test("PpoTrainer.update() with a ceiling lowers the entropy", () => {
  const [free, capped] = [null, 0.3].map((entropyCeiling) => {
    const { policy, update } = createTraining("replica_scorer", {
      learningRate: 0.01,
      valueCoef: 0,
      klCoef: 0,
      entropyCoef: 0,
      entropyCeiling,
      entropyCeilingCoef: 100,
    });
    const entropies = Array.from({ length: 12 }, () => update().entropy);
    policy.dispose();
    return entropies.slice(-4).reduce((sum, entropy) => sum + entropy / 4, 0);
  });
  assert.ok(capped! < free! - 0.1, `${capped} with a ceiling, ${free} without`);
});

Deno.test("PpoTrainer.update() with an entropy bonus alone raises the entropy", () => {
  const { policy, update } = createTraining("replica_scorer", {
    learningRate: 0.01,
    valueCoef: 0,
    klCoef: 0,
    entropyCoef: 10,
  });
  const entropies = Array.from({ length: 6 }, () => update().entropy);
  assert.ok(entropies.at(-1)! > entropies[0]! + 0.1, `${entropies}`);
  policy.dispose();
});

Deno.test("PpoTrainer.update() refuses an unfinished buffer", () => {
  const { policy, buffer, trainer } = createTraining("mlp tanh");
  assert.throws(() => trainer.update(buffer, { progress: 0 }), {
    name: "RangeError",
    message: "Cannot update the policy: buffer must be finished, current value is unfinished",
  });
  policy.dispose();
});

Deno.test("PpoTrainer.update() refuses a loss that is not finite and keeps the weights", () => {
  const { policy, buffer, trainer, collect } = createTraining("mlp tanh");
  collect();
  buffer.returns.fill(NaN);
  const before = policy.getWeights();
  assert.throws(() => trainer.update(buffer, { progress: 0 }), {
    name: "RangeError",
    message: /totalLoss must be finite, current value is NaN \(.*policyLoss .*, valueLoss NaN, /,
  });
  assert.deepEqual(policy.getWeights(), before);
  policy.dispose();
});

for (const name of Object.keys(CONFIGS)) {
  Deno.test(`PpoTrainer (${name}): compiled on the simd backend it does what plain tfjs does`, async () => {
    const plain = createTraining(name);
    const expected = plain.update();
    await tf.setBackend(registerSimdBackend());
    try {
      const compiled = createTraining(name);
      const actual = compiled.update();
      // other orders of summation in float32; Adam's first steps divide by gradients near epsilon
      const keys = ["policyLoss", "valueLoss", "entropy", "klExact", "gradNorm"] as const;
      assertAllClose(keys.map((key) => actual[key]), keys.map((key) => expected[key]), {
        atol: 1e-4,
        rtol: 1e-3,
      });
      assert.ok(actual.initialRatioDeviation < 1e-5);
      assert.deepEqual(compiled.buffer.actions, plain.buffer.actions);
      const tensors = tf.memory().numTensors;
      const first = createTraining(name).update();
      assert.deepEqual(first, actual, "same bytes when run again");
      compiled.update();
      assert.equal(tf.memory().numTensors, tensors + compiled.policy.parameters.names.length);
      compiled.trainer.dispose();
      compiled.policy.dispose();
    } finally {
      await tf.setBackend("cpu");
    }
    plain.policy.dispose();
  });
}
