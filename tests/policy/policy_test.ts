import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  createPolicy,
  type Evaluation,
  type Policy,
  policySchema,
  type SequenceBatch,
} from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { ConfigError, parseConfig } from "../../lib/support/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { CONFIGS, createSmallPolicy, normals, SHAPE } from "./_policies.ts";

const [T, B] = [5, 3];
const { observationSize: D, actionCount: A } = SHAPE;

/** T steps of B environments with resets, temperatures and masks, and how they were answered. */
function actSequences(policy: Policy) {
  const rng = new Rng(5);
  const observations = normals(T * B * D, 6);
  const episodeStarts = Uint8Array.from({ length: T * B }, (_, i) => i % 7 === 4 ? 1 : 0);
  const temperatures = Float32Array.from({ length: T * B }, () => 0.5 + 2 * rng.uniform());
  const actionMasks = Uint8Array.from({ length: T * B * A }, (_, i) => i % 8 === 3 ? 0 : 1);
  const initial = normals(B * policy.hiddenStateSize, 8);
  const decisions = [];
  let hiddenStates: Float32Array = initial;
  for (let t = 0; t < T; t++) {
    const decision = policy.act(observations.subarray(t * B * D, (t + 1) * B * D), {
      hiddenStates,
      episodeStarts: episodeStarts.subarray(t * B, (t + 1) * B),
      temperatures: temperatures.subarray(t * B, (t + 1) * B),
      actionMasks: actionMasks.subarray(t * B * A, (t + 1) * B * A),
      sampler: rng,
    });
    hiddenStates = decision.hiddenStates;
    decisions.push(decision);
  }
  const batch = {
    sequenceLength: T,
    sequenceCount: B,
    observations,
    hiddenStates: initial,
    episodeStarts,
    actions: Int32Array.from(decisions.flatMap(({ actions }) => [...actions])),
    temperatures,
    actionMasks,
  };
  return { batch, decisions };
}

/** Evaluation of a batch of arrays, in the caller's scope. */
function evaluate(policy: Policy, batch: SequenceBatch): Evaluation {
  const arrays = Object.entries(policy.encodeBatch(batch));
  return policy.evaluateActions(
    Object.fromEntries(
      arrays.map(([name, { values, shape }]) => [name, tf.tensor(values, [...shape])]),
    ),
  );
}

for (const name of Object.keys(CONFIGS)) {
  Deno.test(`Policy (${name}): evaluateActions() repeats what act() said, with resets, masks and temperatures`, () => {
    const policy = createSmallPolicy(name);
    const { batch, decisions } = actSequences(policy);
    tf.tidy(() => {
      const { logProbs, values, logits, logProbabilities } = evaluate(policy, batch);
      const parts = [
        [logProbs, decisions.flatMap((decision) => [...decision.logProbs])],
        [values, decisions.flatMap((decision) => [...decision.values])],
        [logits, decisions.flatMap((decision) => [...decision.logits])],
        [logProbabilities, decisions.flatMap((decision) => [...decision.logProbabilities])],
      ] as const;
      // the same float32 sums over batches of other sizes; -1e8 where forbidden
      for (const [tensor, acted] of parts) {
        assertAllClose(tensor.dataSync(), acted, { atol: 1e-5, rtol: 1e-6 });
      }
    });
    policy.dispose();
  });

  Deno.test(`Policy (${name}): the output of a single row depends on the row`, () => {
    const policy = createSmallPolicy(name);
    const hiddenStates = policy.initialHiddenStates(1);
    const a = policy.predict(normals(D, 1), { hiddenStates });
    const b = policy.predict(normals(D, 2), { hiddenStates });
    const difference = a.logits.map((logit, i) => Math.abs(logit - b.logits[i]!));
    assert.ok(Math.max(...difference) > 1e-4);
    assert.ok(Math.abs(a.values[0]! - b.values[0]!) > 1e-4);
    policy.dispose();
  });

  Deno.test(`Policy (${name}): rows of a batch do not influence each other`, () => {
    const policy = createSmallPolicy(name);
    const observations = normals(2 * D, 3);
    const hiddenStates = normals(2 * policy.hiddenStateSize, 4);
    const both = policy.predict(observations, { hiddenStates });
    const second = policy.predict(observations.slice(D), {
      hiddenStates: hiddenStates.slice(policy.hiddenStateSize),
    });
    assertAllClose(both.logits.slice(A), second.logits, { atol: 1e-6 });
    assertAllClose(both.values.slice(1), second.values, { atol: 1e-6 });
    policy.dispose();
  });

  Deno.test(`Policy (${name}): every parameter gets a gradient`, () => {
    const policy = createSmallPolicy(name);
    const { batch } = actSequences(policy);
    const { variables, names } = policy.parameters;
    tf.tidy(() => {
      const { grads } = tf.variableGrads(() => {
        const { logProbs, values } = evaluate(policy, batch);
        return tf.addN([tf.mean(logProbs), tf.mean(tf.square(values))]).asScalar();
      }, variables);
      variables.forEach((variable, i) => {
        const size = grads[variable.name]!.abs().max().dataSync()[0]!;
        assert.ok(size > 1e-9, `${names[i]}: largest gradient ${size}`);
      });
    });
    policy.dispose();
  });

  Deno.test(`Policy (${name}): weights and seeds decide everything`, () => {
    const [policy, twin, other] = [1, 1, 2].map((seed) => createSmallPolicy(name, seed));
    assert.deepEqual(actSequences(policy!), actSequences(twin!));
    assert.notDeepEqual(other!.getWeights(), policy!.getWeights());
    other!.setWeights(policy!.getWeights());
    assert.deepEqual(actSequences(other!), actSequences(policy!));
    [policy, twin, other].forEach((each) => each!.dispose());
  });

  Deno.test(`Policy (${name}): rescaleValues() scales and shifts the values alone`, () => {
    const policy = createSmallPolicy(name);
    const observations = normals(4 * D, 3);
    const hiddenStates = normals(4 * policy.hiddenStateSize, 4);
    const before = policy.predict(observations, { hiddenStates });
    policy.rescaleValues({ scale: 2, shift: -3 });
    const after = policy.predict(observations, { hiddenStates });
    // float32 sums of numbers of size 1
    assertAllClose(after.values, before.values.map((value) => 2 * value - 3), { atol: 1e-5 });
    assert.deepEqual(after.logits, before.logits);
    assert.deepEqual(after.hiddenStates, before.hiddenStates);
    policy.dispose();
  });

  Deno.test(`Policy (${name}): acting and evaluating leak no tensor`, () => {
    const before = tf.memory().numTensors;
    const policy = createSmallPolicy(name);
    const created = tf.memory().numTensors;
    assert.equal(created - before, policy.parameters.names.length);
    const { batch } = actSequences(policy);
    tf.tidy(() => void evaluate(policy, batch));
    assert.equal(tf.memory().numTensors, created);
    policy.dispose();
    assert.equal(tf.memory().numTensors, before);
  });
}

Deno.test("createPolicy() of the document's sizes has the document's parameters and hidden state", () => {
  const config = policySchema.parse({ kind: "actor_critic" });
  const policy = createPolicy(config, { observationSize: 310, actionCount: 4 }, new Rng(1));
  // 495,097 in spec/scheduler.md section 4.1 with one shared layer and a LayerNorm (256) after the
  // GRU; the document has three shared layers, 2 * (128 * 128 + 3 * 128) more, and no such norm
  assert.equal(policy.parameters.count, 495097 - 256 + 2 * (128 * 128 + 3 * 128));
  assert.equal(policy.hiddenStateSize, (2 + 1) * 128);
  policy.dispose();
});

Deno.test("Policy.predict() lays hidden states out layer after layer, the critic's last", () => {
  const policy = createSmallPolicy("actor_critic decoupled");
  const observation = normals(D, 1);
  const size = 8;
  const zero = policy.initialHiddenStates(1);
  const criticOnly = zero.map((_, i) => i >= 2 * size ? 0.7 : 0);
  const base = policy.predict(observation, { hiddenStates: zero });
  const moved = policy.predict(observation, { hiddenStates: criticOnly });
  assert.deepEqual(moved.logits, base.logits);
  assert.notDeepEqual(moved.values, base.values);
  assert.deepEqual(moved.hiddenStates.slice(0, 2 * size), base.hiddenStates.slice(0, 2 * size));
  const firstLayer = zero.map((_, i) => i < size ? 0.7 : 0);
  assert.notDeepEqual(
    policy.predict(observation, { hiddenStates: firstLayer }).logits,
    base.logits,
  );
  const reset = policy.predict(observation, {
    hiddenStates: firstLayer,
    episodeStarts: new Uint8Array([1]),
  });
  assert.deepEqual(reset, base);
  policy.dispose();
});

Deno.test("Policy with bounded logits cannot be surer than 0.711 of one in four, linear logits can", () => {
  // spec/scheduler.md section 4.4: tanh keeps logits in (-1, 1). Largest probability and smallest
  // entropy, as a share of ln 4, at T = 1, 1.5 and 3.
  const table = [[1, 0.711, 0.66], [1.5, 0.558, 0.84], [3, 0.394, 0.96]] as const;
  const shape = { observationSize: 2, actionCount: 4 };
  const sure = [1, -1, -1, -1];
  for (const boundedLogits of [true, false]) {
    const config = policySchema.parse({ kind: "actor_critic", hiddenSize: 4, boundedLogits });
    const policy = createPolicy(config, shape, new Rng(1));
    const last = boundedLogits ? "actor.head.norm.bias" : "actor.head.bias";
    policy.parameters.get(last).assign(tf.tensor1d(sure.map((sign) => 20 * sign)));
    for (const [temperature, probability, entropyShare] of table) {
      const { logProbabilities } = policy.act(new Float32Array(2), {
        hiddenStates: policy.initialHiddenStates(1),
        temperatures: Float32Array.of(temperature),
        sampler: "greedy",
      });
      const probabilities = Array.from(logProbabilities, Math.exp);
      const entropy = -probabilities.reduce((sum, p, i) => sum + p * logProbabilities[i]!, 0);
      if (boundedLogits) {
        // The table has three and two digits.
        assertAllClose([probabilities[0]!], [probability], { atol: 0.0006 });
        assertAllClose([entropy / Math.log(4)], [entropyShare], { atol: 0.006 });
      } else {
        assert.ok(probabilities[0]! > 0.99 && entropy < 0.01, `${probabilities}`);
      }
    }
    policy.dispose();
  }
});

Deno.test("Policy starts near uniform when logits are linear", () => {
  for (const name of ["actor_critic shared", "mlp tanh"]) {
    const policy = createSmallPolicy(name);
    const { logits } = policy.predict(normals(D * 20, 1), {
      hiddenStates: policy.initialHiddenStates(20),
    });
    // a policy head of gain 0.01 on features of order 1
    assert.ok(logits.every((logit) => Math.abs(logit) < 0.15));
    policy.dispose();
  }
});

Deno.test("Policy.act() refuses arrays of the wrong length and temperatures that are not > 0", () => {
  const policy = createSmallPolicy("actor_critic shared");
  const sampler = new Rng(1);
  const hiddenStates = policy.initialHiddenStates(1);
  assert.throws(() => policy.act(new Float32Array(13), { sampler, hiddenStates }), {
    name: "RangeError",
    message: "Cannot run the policy: observations must have 1 x 14 entries, current value is 13",
  });
  assert.throws(() => policy.act(new Float32Array(14), { sampler }), {
    message: "Cannot run the policy: hiddenStates must have 1 x 16 entries, current value is 0",
  });
  const temperatures = new Float32Array([0]);
  assert.throws(() => policy.act(new Float32Array(14), { sampler, hiddenStates, temperatures }), {
    name: "RangeError",
    message: "Cannot act: temperatures must be finite and > 0, current value is 0",
  });
  policy.dispose();
});

Deno.test("policySchema refuses unknown kinds, keys and sizes", () => {
  assert.throws(
    () => parseConfig(policySchema, { kind: "mlp", hiddenSize: 3 }, "policy"),
    (error) => error instanceof ConfigError && error.field === "policy.hiddenSize",
  );
  assert.throws(
    () => parseConfig(policySchema, { kind: "actor_critic", gruLayers: -1 }, "policy"),
    (error) => error instanceof ConfigError && error.field === "policy.gruLayers",
  );
  assert.throws(() => parseConfig(policySchema, { kind: "transformer" }, "policy"), ConfigError);
});
