/** Objective, gradients and Adam against PyTorch; see tests/fixtures/make_ppo_golden.py. */
import * as tf from "@tensorflow/tfjs";
import {
  createPolicy,
  type NamedTensors,
  type NamedWeights,
  type Policy,
  policySchema,
} from "../../lib/policy/mod.ts";
import {
  encodeMinibatch,
  gradientScale,
  type Minibatch,
  type ObjectiveConfig,
  ppoObjective,
} from "../../lib/ppo/mod.ts";
import { AdamOptimizer, globalNorm, registerSimdBackend } from "../../lib/kernels/mod.ts";
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

const BACKENDS = ["cpu", registerSimdBackend()] as const;

for (
  const [each, backend] of golden.objective.flatMap((each) =>
    BACKENDS.map((b) => [each, b] as const)
  )
) {
  const { expected } = each;

  Deno.test(`ppoObjective() equals PyTorch's loss and gradients (${each.name}, ${backend})`, async () => {
    await tf.setBackend(backend);
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
}

Deno.test("AdamOptimizer with gradientScale() takes the steps of PyTorch with a clipped norm", () => {
  const { start, gradients, maxNorm, values } = golden.adam;
  const parameter = tf.variable(tf.tensor1d(start));
  const adam = new AdamOptimizer([parameter]);
  gradients.forEach((each, i) => {
    const gradient = [Float32Array.from(each)];
    const scale = gradientScale(globalNorm(gradient), maxNorm);
    adam.step(gradient, { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-5, scale });
    assertAllClose(parameter.dataSync(), values[i]!, { atol: 1e-6 });
  });
  adam.dispose();
  parameter.dispose();
});
