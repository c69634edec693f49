import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createPolicy } from "../../lib/policy/mod.ts";
import {
  encodeMinibatch,
  type ObjectiveConfig,
  ppoObjective,
  ppoSchema,
  PpoTrainer,
  referenceKlCoefAt,
  ReferencePolicy,
} from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { CONFIGS, SHAPE } from "../policy/_policies.ts";
import { createTraining } from "./_training.ts";

/** All sequences of a buffer as one minibatch. */
function wholeOf({ buffer }: ReturnType<typeof createTraining>) {
  return buffer.gather(Int32Array.from({ length: buffer.sequenceCount }, (_, i) => i));
}

function inputsOf(training: ReturnType<typeof createTraining>, config: ObjectiveConfig) {
  const arrays = encodeMinibatch(training.policy, wholeOf(training), config);
  const tensors = Object.entries(arrays)
    .map(([name, { values, shape }]) => [name, tf.tensor(values, [...shape])]);
  return Object.fromEntries(tensors);
}

for (const name of ["actor_critic decoupled", "mlp tanh", "replica_scorer"]) {
  Deno.test(`ReferencePolicy (${name}) of the acting policy says what was stored`, () => {
    const { policy, buffer, collect } = createTraining(name);
    const reference = new ReferencePolicy(policy, { environmentCount: 2 });
    for (let rollout = 0; rollout < 2; rollout++) { // memory goes on from one to the next
      collect();
      assertAllClose(reference.logProbabilities(buffer), buffer.logProbabilities, { atol: 1e-5 });
    }
    assertAllClose(reference.hiddenStates, buffer.hiddenStates, { atol: 1e-6 });
    policy.dispose();
  });
}

Deno.test("ReferencePolicy refuses a buffer that is not full", () => {
  const { policy, buffer } = createTraining("mlp tanh");
  const reference = new ReferencePolicy(policy, { environmentCount: 2 });
  assert.throws(() => reference.logProbabilities(buffer), {
    name: "RangeError",
    message: "Cannot ask the reference policy: buffer must be full, current stepCount is 0",
  });
  assert.throws(() => buffer.setReference(new Float32Array(3)), {
    name: "RangeError",
    message: "Cannot set the reference: logProbabilities must have 48 entries, current value is 3",
  });
  policy.dispose();
});

Deno.test("ppoObjective() adds coefficient x KL(current || reference), over allowed actions only", () => {
  const training = createTraining("mlp tanh");
  const { policy, buffer, collect } = training;
  collect();
  const config: ObjectiveConfig = { ...ppoSchema.parse({}), referenceKlCoef: 0.7 };
  tf.tidy(() => {
    const plain = ppoObjective(policy, inputsOf(training, config), config);
    assert.equal(plain.referenceKl, undefined);
  });

  // Uniform over what is allowed: KL(p || u) = ln(allowed) - H(p), row by row.
  const { actionMasks, logProbabilities } = buffer;
  const rows = buffer.actions.length;
  const uniform = new Float32Array(rows * 3);
  let expected = 0;
  for (let row = 0; row < rows; row++) {
    const allowed = [0, 1, 2].filter((action) => actionMasks[row * 3 + action] === 1);
    uniform.fill(-1e8, row * 3, row * 3 + 3);
    for (const action of allowed) {
      const logP = logProbabilities[row * 3 + action]!;
      uniform[row * 3 + action] = -Math.log(allowed.length);
      expected += Math.exp(logP) * (logP + Math.log(allowed.length)) / rows;
    }
  }
  assert.ok(actionMasks.includes(0), "a mask must be in play");
  buffer.setReference(uniform);
  const [total, referenceKl] = tf.tidy(() => {
    const objective = ppoObjective(policy, inputsOf(training, config), config);
    return [objective.totalLoss.dataSync()[0]!, objective.referenceKl!.dataSync()[0]!];
  });
  assertAllClose([referenceKl!], [expected], { atol: 1e-6 });
  const before = tf.tidy(() =>
    ppoObjective(policy, inputsOf(training, { ...config, referenceKlCoef: 0 }), config)
      .totalLoss.dataSync()[0]!
  );
  assertAllClose([total! - before], [0.7 * expected], { atol: 1e-6 });
  policy.dispose();
});

Deno.test("ppoObjective()'s divergence from the reference has the gradient of a hand calculation", () => {
  // d/dz_k sum p (log p - log q) = p_k (log p_k - log q_k - KL), for logits z of one decision.
  const logits = [0.2, -0.4, 1.1];
  const logQ = [0.5, 0.3, 0.2].map(Math.log);
  const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
  const p = logits.map((z) => Math.exp(z) / total);
  const kl = p.reduce((sum, each, k) => sum + each * (Math.log(each) - logQ[k]!), 0);
  const training = createTraining("mlp tanh", { rolloutLength: 8 });
  const { policy, buffer, collect } = training;
  collect();
  buffer.temperatures.fill(1);
  buffer.actionMasks.fill(1);
  // Zero kernel: the logits are the bias, in every decision.
  const [kernel, bias] = ["kernel", "bias"].map((part) =>
    policy.parameters.get(`actor.head.${part}`)
  );
  policy.parameters.assign(kernel!, new Float32Array(kernel!.size));
  policy.parameters.assign(bias!, Float32Array.from(logits));
  buffer.setReference(Float32Array.from({ length: 48 }, (_, i) => logQ[i % 3]!));
  const config: ObjectiveConfig = {
    ...ppoSchema.parse({}),
    klCoef: 0,
    entropyCoef: 0,
    valueCoef: 0,
    entropyFloorCoef: 0,
    referenceKlCoef: 2,
  };
  const gradientAt = (referenceKlCoef: number): Float32Array => {
    const { grads } = tf.variableGrads(
      () =>
        ppoObjective(policy, inputsOf(training, { ...config, referenceKlCoef }), config)
          .totalLoss,
      [bias!],
    );
    return grads[bias!.name]!.dataSync() as Float32Array;
  };
  const [without, with2] = [gradientAt(0), gradientAt(2)];
  const expected = p.map((each, k) => 2 * each * (Math.log(each) - logQ[k]! - kl));
  assertAllClose(with2!.map((value, k) => value - without![k]!), expected, { atol: 1e-5 });
  policy.dispose();
});

Deno.test("referenceKlCoefAt() moves linearly and stays at the final value", () => {
  const config = ppoSchema.parse({
    referenceKlCoef: 0.5,
    referenceKlCoefFinal: 0.1,
    referenceKlDecaySteps: 40,
  });
  const coefficients = [0, 10, 20, 40, 41, 4000].map((step) => referenceKlCoefAt(config, step));
  assertAllClose(coefficients, [0.5, 0.4, 0.3, 0.1, 0.1, 0.1], { atol: 1e-15 });
});

Deno.test("PpoTrainer holds a policy near its reference and follows the schedule", () => {
  function distanceAfterTraining(referenceKlCoef: number): number {
    const { policy, buffer, collect } = createTraining("mlp tanh");
    const config = ppoSchema.parse({
      rolloutLength: 8,
      minibatchSize: 8,
      epochs: 4,
      targetKl: null,
      entropyCoef: 0,
      learningRate: 0.02,
      referenceKlCoef,
      referenceKlCoefFinal: referenceKlCoef / 2,
      referenceKlDecaySteps: 16,
    });
    const frozen = createPolicy(CONFIGS["mlp tanh"]!, SHAPE, new Rng(0));
    frozen.setWeights(policy.getWeights());
    const reference = new ReferencePolicy(frozen, { environmentCount: 2 });
    const trainer = new PpoTrainer(policy, config, { rng: new Rng(3), reference });
    let last = Infinity;
    for (let update = 0; update < 10; update++) {
      collect();
      const stats = trainer.update(buffer, { progress: 0 });
      // 8 steps an update: a quarter of the way, then half of it, then the end.
      const share = Math.min(1, (update + 1) * 8 / 16);
      assertAllClose([stats.referenceKlCoef!], [referenceKlCoef * (1 - share / 2)], {
        atol: 1e-12,
      });
      last = stats.referenceKl!;
    }
    trainer.dispose();
    policy.dispose();
    frozen.dispose();
    return last;
  }
  const free = distanceAfterTraining(0);
  const held = distanceAfterTraining(20);
  assert.ok(held < free / 5, `${held} is not well below ${free}`);
});

Deno.test("PpoTrainer without a reference reports none", () => {
  const { policy, update, trainer } = createTraining("mlp tanh");
  const { referenceKl, referenceKlCoef } = update();
  assert.deepEqual([referenceKl, referenceKlCoef], [null, null]);
  trainer.dispose();
  policy.dispose();
});
