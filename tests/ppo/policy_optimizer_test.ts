import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { NamedWeights } from "../../lib/policy/mod.ts";
import { encodeMinibatch, type PpoConfig, ppoObjective, ppoSchema } from "../../lib/ppo/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { CONFIGS } from "../policy/_policies.ts";
import { createTraining } from "./_training.ts";

/** Networks whose values and logits share no parameter. */
const DISJOINT = [
  "mlp tanh",
  "mlp relu",
  "replica_scorer separate",
  "replica_scorer separate with attention and identity",
];

/** What one update leaves. */
function updateOnce(name: string, ppo: Partial<PpoConfig>) {
  const { policy, update } = createTraining(name, ppo);
  const stats = update();
  const weights = policy.getWeights();
  const critic = new Set(policy.criticParameterNames);
  policy.dispose();
  return {
    stats,
    critic: pick(weights, (n) => critic.has(n)),
    rest: pick(weights, (n) => !critic.has(n)),
  };
}

function pick(weights: NamedWeights, isIncluded: (name: string) => boolean): NamedWeights {
  return Object.fromEntries(Object.entries(weights).filter(([name]) => isIncluded(name)));
}

for (const name of Object.keys(CONFIGS)) {
  Deno.test(`PolicyOptimizer (${name}): separate optimisers of equal step size without clips do what one does, byte for byte`, () => {
    const unclipped = { maxGradNorm: null, criticMaxGradNorm: null };
    const joint = updateOnce(name, unclipped);
    const separate = updateOnce(name, { ...unclipped, optimizers: "separate" });
    assert.deepEqual([separate.rest, separate.critic], [joint.rest, joint.critic]);
    assert.equal(joint.stats.criticGradNorm, null);
    assert.ok(separate.stats.gradNorm > 0 && separate.stats.criticGradNorm! > 0);
  });

  Deno.test(`PolicyOptimizer (${name}): the critic's own parameters are those that only the value loss moves`, () => {
    const { policy, buffer, update } = createTraining(name);
    update();
    const config = ppoSchema.parse({});
    const sequences = Int32Array.from({ length: buffer.sequenceCount }, (_, i) => i);
    const arrays = Object.entries(encodeMinibatch(policy, buffer.gather(sequences), config));
    const moved = (term: "policyLoss" | "valueLoss"): string[] =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const inputs = arrays.map(([key, { values, shape }]) =>
            [key, tf.tensor(values, [...shape])] as const
          );
          return ppoObjective(policy, Object.fromEntries(inputs), config)[term];
        }, policy.parameters.variables);
        return policy.parameters.names.filter((parameter) => {
          const gradient = grads[policy.parameters.get(parameter).name];
          return gradient != null && tf.max(tf.abs(gradient)).dataSync()[0]! > 0;
        });
      });
    const critic = policy.criticParameterNames;
    const byPolicy = moved("policyLoss");
    const byValue = moved("valueLoss");
    assert.deepEqual(byPolicy, policy.parameters.names.filter((each) => !critic.includes(each)));
    assert.ok(critic.every((each) => byValue.includes(each)));
    assert.equal(byValue.length === critic.length, DISJOINT.includes(name), `${byValue}`);
    policy.dispose();
  });
}

for (const name of DISJOINT) {
  Deno.test(`PpoTrainer (${name}): with separate optimisers a large value loss cannot hold the policy back`, () => {
    const after = (ppo: Partial<PpoConfig>) => updateOnce(name, { maxGradNorm: 0.01, ...ppo }).rest;
    const separate = { optimizers: "separate" } as const;
    const expected = after({ ...separate, valueCoef: 1 });
    assert.deepEqual(after({ ...separate, valueCoef: 1000 }), expected);
    assert.deepEqual(after({ ...separate, criticLearningRate: 1, criticMaxGradNorm: 1 }), expected);
    assert.notDeepEqual(after({ valueCoef: 1000 }), after({ valueCoef: 1 }), "with one it does");
  });
}

Deno.test("PolicyOptimizer clips the critic's gradient by a norm of its own", () => {
  // One step from fresh moments moves every weight by rate g / (|g| + epsilon), g the clipped
  // gradient: with an epsilon far above g, by rate g / epsilon.
  const base: Partial<PpoConfig> = {
    optimizers: "separate",
    adamEpsilon: 1e6,
    learningRate: 1e6,
    epochs: 1,
    minibatchSize: 16,
    maxGradNorm: null,
  };
  const start = createTraining("mlp tanh");
  const before = start.policy.getWeights();
  start.policy.dispose();
  const length = (weights: NamedWeights): number =>
    Math.hypot(
      ...Object.entries(weights).flatMap(([name, { values }]) =>
        [...values].map((value, i) => value - before[name]!.values[i]!)
      ),
    );
  const { stats, critic, rest } = updateOnce("mlp tanh", { ...base, criticMaxGradNorm: 0.05 });
  // float32 weights of size 1, gradients' squares in Adam
  assertAllClose([length(critic)], [0.05], { rtol: 1e-3 });
  assertAllClose([length(rest)], [stats.gradNorm], { rtol: 1e-3 });
  const free = updateOnce("mlp tanh", { ...base, criticMaxGradNorm: null });
  assertAllClose([length(free.critic)], [free.stats.criticGradNorm!], { rtol: 1e-3 });
  assert.deepEqual(free.rest, rest);
});

Deno.test("PpoTrainer.setState() refuses the moments of another number of optimisers", () => {
  const joint = createTraining("mlp tanh");
  const separate = createTraining("mlp tanh", { optimizers: "separate" });
  assert.throws(() => separate.trainer.setState(joint.trainer.getState()), {
    name: "RangeError",
    message:
      "Cannot restore the optimizers: criticOptimizer must be given when optimizers is separate, current value is absent",
  });
  assert.throws(() => joint.trainer.setState(separate.trainer.getState()), {
    name: "RangeError",
    message: /criticOptimizer must be absent when optimizers is joint, current value is given$/,
  });
  joint.policy.dispose();
  separate.policy.dispose();
});
