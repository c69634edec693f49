/** Objective, gradients and Adam against PyTorch; see tests/fixtures/make_ppo_golden.py. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  createPolicy,
  type NamedTensors,
  type NamedWeights,
  type Policy,
  policySchema,
} from "../../lib/policy/mod.ts";
import {
  Adam,
  encodeMinibatch,
  globalGradNorm,
  gradientScale,
  type Minibatch,
  type ObjectiveConfig,
  ppoObjective,
} from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import golden from "../fixtures/ppo_golden.json" with { type: "json" };

type ObjectiveCase = typeof golden.objective[number];

/** float32 against float64 through some twenty layers. */
const CLOSE = { rtol: 2e-4, atol: 2e-6 };

/** The case's policy, its configuration, and its minibatch as tensors of the caller's scope. */
function restore(
  golden: ObjectiveCase,
): { policy: Policy; inputs: () => NamedTensors; config: ObjectiveConfig } {
  const { observationSize, actionCount, minibatch } = golden;
  const shape = { observationSize, actionCount };
  const policy = createPolicy(policySchema.parse(golden.policy), shape, new Rng(1));
  const weights: NamedWeights = Object.fromEntries(
    Object.entries(golden.weights).map((
      [name, { shape, values }],
    ) => [name, { shape, values: Float32Array.from(values) }]),
  );
  policy.setWeights(weights);
  const batch: Minibatch = {
    sequenceLength: minibatch.sequenceLength,
    sequenceCount: minibatch.sequenceCount,
    observations: Float32Array.from(minibatch.observations),
    hiddenStates: Float32Array.from(minibatch.hiddenStates),
    episodeStarts: Uint8Array.from(minibatch.episodeStarts),
    actions: Int32Array.from(minibatch.actions),
    temperatures: Float32Array.from(minibatch.temperatures),
    actionMasks: Uint8Array.from(minibatch.actionMasks),
    logProbs: Float32Array.from(minibatch.logProbs),
    logProbabilities: Float32Array.from(minibatch.logProbabilities),
    values: Float32Array.from(minibatch.values),
    advantages: Float32Array.from(minibatch.advantages),
    returns: Float32Array.from(minibatch.returns),
  };
  const config: ObjectiveConfig = { ...golden.coefficients, advantageNormalization: "minibatch" };
  const arrays = Object.entries(encodeMinibatch(policy, batch, config));
  const inputs = (): NamedTensors =>
    Object.fromEntries(
      arrays.map(([name, { values, shape }]) => [name, tf.tensor(values, [...shape])]),
    );
  return { policy, inputs, config };
}

for (const each of golden.objective) {
  const { expected } = each;

  Deno.test(`ppoObjective() equals PyTorch's loss and gradients (${each.name})`, () => {
    const { policy, inputs, config } = restore(each);
    tf.tidy(() => {
      const { logits, values } = policy.evaluateActions(inputs());
      assertAllClose(logits.dataSync(), expected.logits, CLOSE);
      assertAllClose(values.dataSync(), expected.values, CLOSE);
      const { grads, value } = tf.variableGrads(
        () => ppoObjective(policy, inputs(), config).totalLoss,
        policy.parameters.variables,
      );
      assertAllClose(value.dataSync(), [expected.totalLoss], CLOSE);
      const gradients = expected.gradients as unknown as Readonly<Record<string, number[]>>;
      for (const name of policy.parameters.names) {
        const actual = grads[policy.parameters.get(name).name]!.dataSync();
        assertAllClose(actual, gradients[name]!, CLOSE);
      }
      const objective = ppoObjective(policy, inputs(), config);
      for (const term of ["policyLoss", "valueLoss", "entropy", "klExact"] as const) {
        assertAllClose(objective[term].dataSync(), [expected[term]], CLOSE);
      }
    });
    policy.dispose();
  });

  Deno.test(`ppoObjective() has the gradient that finite differences give (${each.name})`, () => {
    const { policy, inputs, config } = restore(each);
    const rng = new Rng(4);
    const lossAt = (): number =>
      tf.tidy(() => ppoObjective(policy, inputs(), config).totalLoss.dataSync()[0]!);
    for (const name of policy.parameters.names) {
      const variable = policy.parameters.get(name);
      const start = Float32Array.from(variable.dataSync());
      const direction = start.map(() => rng.normal());
      const moveBy = (step: number): number => {
        policy.parameters.assign(variable, start.map((value, i) => value + step * direction[i]!));
        return lossAt();
      };
      const step = 2e-3;
      const numeric = (moveBy(step) - moveBy(-step)) / (2 * step);
      policy.parameters.assign(variable, start.slice());
      const analytic = tf.tidy(() => {
        const { grads } = tf.variableGrads(
          () => ppoObjective(policy, inputs(), config).totalLoss,
          [variable],
        );
        return tf.sum(tf.mul(grads[variable.name]!, tf.tensor(direction, variable.shape)))
          .dataSync()[0]!;
      });
      // float32 loss of order 1: 1e-7 / 4e-3 noise; kinks of ReLU, clips and max within the step
      assertAllClose([numeric], [analytic], { atol: 2e-3, rtol: 3e-2 });
    }
    policy.dispose();
  });
}

Deno.test("Adam with a clipped norm takes PyTorch's steps", () => {
  const { start, gradients, maxNorm, values } = golden.adam;
  const adam = new Adam([start.length]);
  let parameter = Float32Array.from(start);
  gradients.forEach((each, i) => {
    const gradient = [Float32Array.from(each)];
    const scale = gradientScale(globalGradNorm(gradient), maxNorm);
    const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-5, scale };
    parameter = Float32Array.from(adam.step([parameter], gradient, options)[0]!);
    assertAllClose(parameter, values[i]!, { atol: 1e-6 });
  });
});

Deno.test("Adam continues from its state and refuses one that does not fit", () => {
  const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-5, scale: 1 };
  const [parameter, gradient] = [[new Float32Array([1, 2])], [new Float32Array([3, -1])]];
  const [adam, resumed] = [new Adam([2]), new Adam([2])];
  adam.step(parameter, gradient, options);
  resumed.setState(adam.getState());
  assert.deepEqual(
    resumed.step(parameter, gradient, options),
    adam.step(parameter, gradient, options),
  );
  assert.throws(() => new Adam([3]).setState(adam.getState()), {
    name: "RangeError",
    message: "Cannot use Adam: means must have lengths 3, current value is 2",
  });
});
