import assert from "node:assert/strict";
import fc from "fast-check";
import { createPolicy, type Policy, policySchema } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { createSmallPolicy, normals, REPLICA_LAYOUT, SHAPE } from "./_policies.ts";

const { perReplicaSize, replicaCount } = REPLICA_LAYOUT;

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

for (const name of ["replica_scorer", "replica_scorer separate"]) {
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

Deno.test("replica_scorer: the same weights serve any number of replicas", () => {
  const policy = createSmallPolicy("replica_scorer");
  const wide = createPolicy(policy.config, {
    observationSize: 5 * perReplicaSize + 2,
    actionCount: 5,
    replicaLayout: { ...REPLICA_LAYOUT, replicaCount: 5 },
  }, new Rng(2));
  wide.setWeights(policy.getWeights());
  const small = normals(SHAPE.observationSize, 4);
  const large = new Float32Array(wide.observationSize);
  large.set(small.subarray(0, 3 * perReplicaSize));
  large.set(small.subarray(3 * perReplicaSize), 5 * perReplicaSize);
  const expected = policy.predict(small);
  const actual = wide.predict(large, { actionMasks: new Uint8Array([1, 1, 1, 0, 0]) });
  assertAllClose(actual.logits.slice(0, 3), expected.logits, { atol: 1e-5 });
  assertAllClose(actual.values, expected.values, { atol: 1e-5 });
  policy.dispose();
  wide.dispose();
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
