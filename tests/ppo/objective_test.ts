import * as tf from "@tensorflow/tfjs";
import {
  encodeMinibatch,
  type ObjectiveConfig,
  ppoObjective,
  ppoSchema,
} from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { CONFIGS } from "../policy/_policies.ts";
import { createTraining } from "./_training.ts";

for (const name of Object.keys(CONFIGS)) {
  Deno.test(`ppoObjective() (${name}) has the gradient that finite differences give`, () => {
    const { policy, buffer, update } = createTraining(name, { learningRate: 1e-3, epochs: 1 });
    // A head of ordinary size: normalising logits of size 0.01 bends the loss too much for differences.
    const head = policy.parameters.get("actor.head.kernel");
    policy.parameters.assign(head, (head.dataSync() as Float32Array).map((weight) => 100 * weight));
    update(); // a little away from the policy that acted, so that ratios and divergence matter
    const config: ObjectiveConfig = ppoSchema.parse({ entropyFloor: 3 });
    const sequences = Int32Array.from({ length: buffer.sequenceCount }, (_, i) => i);
    const arrays = Object.entries(encodeMinibatch(policy, buffer.gather(sequences), config));
    const loss = (): tf.Scalar => {
      const inputs = arrays.map(([key, { values, shape }]) => [key, tf.tensor(values, [...shape])]);
      return ppoObjective(policy, Object.fromEntries(inputs), config).totalLoss;
    };
    const rng = new Rng(4);
    const { parameters } = policy;
    const { grads } = tf.variableGrads(loss, parameters.variables);
    for (const variable of parameters.variables) {
      const start = Float32Array.from(variable.dataSync());
      const draws = start.map(() => rng.normal());
      const length = Math.hypot(...draws);
      const direction = draws.map((draw) => draw / length);
      const lossAt = (step: number): number => {
        parameters.assign(variable, start.map((value, i) => value + step * direction[i]!));
        return tf.tidy(() => loss().dataSync()[0]!);
      };
      const gradient = grads[variable.name]!.dataSync();
      const analytic = direction.reduce((sum, each, i) => sum + each * gradient[i]!, 0);
      // The longer step may lie across a kink of a ReLU, the shorter one has more noise.
      const numeric = [1e-3, 2e-4].map((step) => (lossAt(step) - lossAt(-step)) / (2 * step));
      parameters.assign(variable, start.slice());
      const errors = numeric.map((each) => Math.abs(each - analytic));
      // a float32 loss of order 1 has noise 1e-7 / 4e-4; the rest is curvature
      assertAllClose([Math.min(...errors)], [0], { atol: 1e-3 + 1e-2 * Math.abs(analytic) });
    }
    tf.dispose(grads);
    policy.dispose();
  });
}
