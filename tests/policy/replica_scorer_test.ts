import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { createPolicy, type Policy, policySchema } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { parseConfig } from "../../lib/support/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { createSmallPolicy, normals, REPLICA_LAYOUT, SHAPE } from "./_policies.ts";

const { globalSize, perReplicaSize, replicaCount } = REPLICA_LAYOUT;

/** The observation with replica `order[i]` in place i. */
function permute(observation: Float32Array, order: readonly number[]): Float32Array {
  const permuted = observation.slice();
  order.forEach((from, to) =>
    permuted.set(
      observation.subarray(from * perReplicaSize, (from + 1) * perReplicaSize),
      to * perReplicaSize,
    )
  );
  return permuted;
}

for (
  const name of ["replica_scorer", "replica_scorer separate", "replica_scorer with attention"]
) {
  Deno.test(`${name}: permuting the replicas permutes the logits and keeps the value`, () => {
    const policy = createSmallPolicy(name);
    const order = fc.shuffledSubarray([0, 1, 2], { minLength: replicaCount });
    fc.assert(
      fc.property(order, fc.integer(), fc.boolean(), (order, seed, isMasked) => {
        const observation = normals(SHAPE.observationSize, seed);
        const mask = isMasked ? [1, 0, 1] : [1, 1, 1];
        const plain = policy.predict(observation, { actionMasks: Uint8Array.from(mask) });
        const permuted = policy.predict(permute(observation, order), {
          actionMasks: Uint8Array.from(order, (from) => mask[from]!),
        });
        assertAllClose(permuted.logits, order.map((from) => plain.logits[from]!), { atol: 1e-5 });
        assertAllClose(permuted.values, plain.values, { atol: 1e-5 });
      }),
      { seed: 3, numRuns: 30 },
    );
    policy.dispose();
  });

  Deno.test(`${name}: a replica that may not be chosen does not influence the others`, () => {
    const policy = createSmallPolicy(name);
    const observation = normals(SHAPE.observationSize, 1);
    const changed = observation.slice();
    changed.fill(5, perReplicaSize, 2 * perReplicaSize);
    const actionMasks = new Uint8Array([1, 0, 1]);
    const [a, b] = [observation, changed].map((each) => policy.predict(each, { actionMasks }));
    assert.equal(b!.logits[0], a!.logits[0]);
    assert.equal(b!.logits[2], a!.logits[2]);
    assert.deepEqual(b!.values, a!.values);
    policy.dispose();
  });
}

Deno.test("replica_scorer: encoders of the value's own leave the policy as it is without them", () => {
  const [shared, separate] = ["replica_scorer", "replica_scorer separate"].map((name) =>
    createSmallPolicy(name)
  ) as [Policy, Policy];
  const observation = normals(SHAPE.observationSize, 1);
  assert.deepEqual(separate.predict(observation).logits, shared.predict(observation).logits);
  // two layers for replicas, one for the rest: (4 + 1) 8 + (8 + 1) 8 + (2 + 1) 8
  assert.equal(separate.parameters.count - shared.parameters.count, 40 + 72 + 24);
  shared.dispose();
  separate.dispose();
});

Deno.test("replica_scorer: starts as least outstanding requests, and not without the residual", () => {
  const rng = new Rng(9);
  const shares = [3, 0].map((loadResidualSlope) => {
    const config = policySchema.parse({ kind: "replica_scorer", loadResidualSlope });
    const policy = createPolicy(config, SHAPE, new Rng(1));
    let agreements = 0;
    for (let i = 0; i < 100; i++) {
      const observation = Float32Array.from({ length: SHAPE.observationSize }, () => rng.normal());
      const loads = [0, 1, 2].map((replica) => observation[replica * perReplicaSize]!);
      const { actions } = policy.act(observation, { sampler: "greedy" });
      if (loads[actions[0]!] === Math.min(...loads)) agreements++;
    }
    policy.dispose();
    return agreements;
  });
  assert.ok(shares[0]! >= 97, `agrees with LOR in ${shares[0]} of 100`);
  assert.ok(shares[1]! < 70, `agrees with LOR in ${shares[1]} of 100`);
});

/** The observation of `count` replicas in one of `paddedCount`: zeros in between. */
function pad(observation: Float32Array, count: number, paddedCount: number): Float32Array {
  const padded = new Float32Array(paddedCount * perReplicaSize + globalSize);
  padded.set(observation.subarray(0, count * perReplicaSize));
  padded.set(observation.subarray(count * perReplicaSize), paddedCount * perReplicaSize);
  return padded;
}

for (
  const name of ["replica_scorer", "replica_scorer separate", "replica_scorer with attention"]
) {
  Deno.test(`Policy.resized() (${name}) serves 1 to 16 replicas as rows of one padded batch do`, () => {
    const policy = createSmallPolicy(name);
    const counts = [1, 2, 3, 7, 16];
    const wide = policy.resized(16);
    const observations = counts.map((count, i) => normals(count * perReplicaSize + globalSize, i));
    const batch = Float32Array.from(
      observations.flatMap((observation, i) => [...pad(observation, counts[i]!, 16)]),
    );
    const actionMasks = Uint8Array.from(
      counts.flatMap((count) => Array.from({ length: 16 }, (_, r) => r < count ? 1 : 0)),
    );
    const temperatures = Float32Array.from(counts, (_, i) => 0.5 + i);
    const together = wide.act(batch, { actionMasks, temperatures, sampler: new Rng(1) });
    const sampler = new Rng(1);
    counts.forEach((count, i) => {
      const alone = policy.resized(count).act(observations[i]!, {
        temperatures: temperatures.slice(i, i + 1),
        sampler,
      });
      // the same sums with terms of 0 in between
      const row = together.logProbabilities.subarray(16 * i, 16 * (i + 1));
      assertAllClose(row.subarray(0, count), alone.logProbabilities, { atol: 1e-5 });
      assert.ok(row.subarray(count).every((logProbability) => Math.exp(logProbability) === 0));
      assertAllClose([together.values[i]!], alone.values, { atol: 1e-5 });
      assert.equal(together.actions[i], alone.actions[0]);
    });
    const evaluated = tf.tidy(() => {
      const arrays = wide.encodeBatch({
        sequenceLength: 1,
        sequenceCount: counts.length,
        observations: batch,
        hiddenStates: new Float32Array(0),
        episodeStarts: new Uint8Array(counts.length),
        actions: together.actions,
        temperatures,
        actionMasks,
      });
      const inputs = Object.entries(arrays).map(([key, { values, shape }]) =>
        [key, tf.tensor(values, [...shape])] as const
      );
      return wide.evaluateActions(Object.fromEntries(inputs)).logProbs.dataSync();
    });
    assertAllClose(evaluated, together.logProbs, { atol: 1e-6 });
    policy.dispose();
  });
}

Deno.test("Policy.evaluateActions() (replica_scorer with attention) gives padding no gradient", () => {
  const policy = createSmallPolicy("replica_scorer with attention");
  const wide = policy.resized(5);
  const observation = normals(SHAPE.observationSize, 4);
  const gradients = [3, 5].map((count) =>
    tf.tidy(() => {
      const { observationSize, actionCount } = policy.resized(count);
      const batch = {
        observations: tf.tensor2d(pad(observation, 3, count), [1, observationSize]),
        actionMask: tf.tensor2d([1, 1, 1, 0, 0].slice(0, actionCount), [1, actionCount]),
        temperatures: tf.ones([1, 1]),
        chosen: tf.tensor2d([0, 1, 0, 0, 0].slice(0, actionCount), [1, actionCount]),
      };
      const { grads } = tf.variableGrads(() => {
        const { logProbs, values, entropies } = wide.evaluateActions(batch);
        return tf.sum(tf.addN([logProbs, values, entropies]));
      }, policy.parameters.variables);
      return policy.parameters.variables.flatMap(({ name }) => [...grads[name]!.dataSync()]);
    })
  );
  assertAllClose(gradients[1]!, gradients[0]!, { atol: 1e-5 });
  policy.dispose();
});

Deno.test("Policy.resized() shares parameters: training one trains the other", () => {
  const policy = createSmallPolicy("replica_scorer");
  const wide = policy.resized(5);
  const observation = normals(wide.observationSize, 4);
  const before = wide.predict(observation);
  policy.rescaleValues({ scale: 2, shift: 1 });
  assertAllClose(wide.predict(observation).values, before.values.map((value) => 2 * value + 1), {
    atol: 1e-5,
  });
  policy.dispose();
});

Deno.test("Policy.resized() refuses networks with parameters for every replica, with the reason", () => {
  const cases: [name: string, reason: RegExp][] = [
    [
      "mlp tanh",
      /^Cannot resize the policy: replicaCount must be 3, since policy\.kind mlp has weights for every replica \(replica_scorer shares them\), current value is 4$/,
    ],
    ["actor_critic shared", /since policy\.kind actor_critic has weights for every replica/],
    [
      "replica_scorer separate with attention and identity",
      /since policy\.identitySize 3 gives every replica numbers of its own/,
    ],
    [
      "replica_scorer with bounded logits",
      /since policy\.boundedLogits has a gain for every replica/,
    ],
  ];
  for (const [name, message] of cases) {
    const policy = createSmallPolicy(name);
    assert.throws(() => policy.resized(4), { name: "RangeError", message });
    policy.dispose();
  }
  const policy = createSmallPolicy("replica_scorer");
  assert.throws(() => policy.resized(0), { name: "RangeError", message: /actionCount must be/ });
  policy.dispose();
});

Deno.test("replica_scorer with identity: replicas in the same state are told apart", () => {
  const slice = normals(perReplicaSize, 1);
  const observation = new Float32Array(SHAPE.observationSize);
  for (let r = 0; r < replicaCount; r++) observation.set(slice, r * perReplicaSize);
  const names = ["replica_scorer", "replica_scorer separate with attention and identity"];
  const [alike, apart] = names.map((name) => {
    const policy = createSmallPolicy(name);
    const { logits } = policy.predict(observation);
    policy.dispose();
    return new Set(logits).size;
  });
  assert.deepEqual([alike, apart], [1, replicaCount]);
});

Deno.test("replica_scorer: choosing among one replica has a gradient", () => {
  const config = policySchema.parse({ kind: "replica_scorer", hiddenSize: 8, attentionHeads: 1 });
  const policy = createPolicy(config, {
    observationSize: perReplicaSize + globalSize,
    actionCount: 1,
    replicaLayout: { ...REPLICA_LAYOUT, replicaCount: 1 },
  }, new Rng(1));
  tf.tidy(() => {
    const batch = {
      observations: tf.ones([2, policy.observationSize]),
      temperatures: tf.ones([2, 1]),
      chosen: tf.ones([2, 1]),
    };
    const { grads } = tf.variableGrads(
      () => tf.sum(policy.evaluateActions(batch).values),
      policy.parameters.variables,
    );
    const head = policy.parameters.get("critic.head.bias").name;
    assert.deepEqual([...grads[head]!.dataSync()], [2]);
  });
  policy.dispose();
});

Deno.test("policySchema refuses heads that do not divide the hidden size", () => {
  const input = { kind: "replica_scorer", hiddenSize: 10, attentionHeads: 4 };
  assert.throws(() => parseConfig(policySchema, input, "policy"), {
    name: "ConfigError",
    message: /policy\.attentionHeads must be a divisor of policy\.hiddenSize, current value is 4/,
  });
});

Deno.test("createPolicy() refuses a replica scorer without a fitting layout", () => {
  const config = policySchema.parse({ kind: "replica_scorer" });
  const { observationSize, actionCount } = SHAPE;
  assert.throws(() => createPolicy(config, { observationSize, actionCount }, new Rng(1)), {
    name: "RangeError",
    message:
      "Cannot create a replica scorer: replicaLayout must be given, current value is undefined",
  });
  assert.throws(() => createPolicy(config, { ...SHAPE, observationSize: 15 }, new Rng(1)), {
    message:
      "Cannot create a replica scorer: replicaLayout must describe 3 replicas and 15 features, current value is 3 replicas and 14 features",
  });
  const replicaLayout = { ...REPLICA_LAYOUT, loadFeatures: [4] };
  assert.throws(() => createPolicy(config, { ...SHAPE, replicaLayout }, new Rng(1)), {
    message: /loadFeatures must be offsets below 4, at least one .* current value is \[4\]/,
  });
});

Deno.test("boundedLogits caps every logit at 1, however far apart the replicas are", () => {
  // Gains start at 1: tanh of standardised logits. A lone long queue: (x - mean) / std is
  // -sqrt(2) for it and 1 / sqrt(2) for the two others, up to the 1e-5 added to the variance.
  const config = policySchema.parse({
    kind: "replica_scorer",
    hiddenSize: 8,
    loadResidualSlope: 100,
    boundedLogits: true,
  });
  const policy = createPolicy(config, SHAPE, new Rng(1));
  const observation = new Float32Array(SHAPE.observationSize);
  observation[0] = 1000;
  const { logits } = policy.predict(observation);
  assertAllClose(logits, [Math.tanh(-Math.SQRT2), ...Array(2).fill(Math.tanh(Math.SQRT1_2))], {
    atol: 1e-3,
  });
  policy.dispose();
});

Deno.test("replica_scorer: features for the value only move the value and never the logits", () => {
  const policy = createPolicy(
    parseConfig(policySchema, { kind: "replica_scorer", hiddenSize: 8, sharedEncoder: false }),
    { ...SHAPE, replicaLayout: { ...REPLICA_LAYOUT, criticReplicaSize: 1, criticGlobalSize: 1 } },
    new Rng(3),
  );
  const observation = normals(SHAPE.observationSize, 1);
  const plain = policy.predict(observation);
  const columns = [perReplicaSize - 1, 2 * perReplicaSize - 1, SHAPE.observationSize - 1];
  for (const column of columns) {
    const changed = observation.slice();
    changed[column]! += 3;
    const { logits, values } = policy.predict(changed);
    assert.deepEqual(logits, plain.logits);
    assert.notDeepEqual(values, plain.values);
  }
  const seen = observation.slice();
  seen[perReplicaSize - 2]! += 3;
  assert.notDeepEqual(policy.predict(seen).logits, plain.logits);
  policy.dispose();
});

Deno.test("replica_scorer refuses features for the value only where the encoder is shared", () => {
  assert.throws(
    () =>
      createPolicy(
        parseConfig(policySchema, { kind: "replica_scorer" }),
        { ...SHAPE, replicaLayout: { ...REPLICA_LAYOUT, criticReplicaSize: 1 } },
        new Rng(3),
      ),
    { name: "RangeError", message: /sharedEncoder must be false/ },
  );
});
