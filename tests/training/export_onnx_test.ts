import { InferenceSession, Tensor } from "onnxruntime-node";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { createPolicy } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { RunningNormalizer, StateBuilder } from "../../lib/state/mod.ts";
import { exportOnnx, type TrainedPolicy } from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import assert from "node:assert/strict";

const REPLICAS = 3;
const BATCH = 5;

const CASES: Readonly<Record<string, Record<string, unknown>>> = {
  "the document's network": { policy: { kind: "actor_critic", hiddenSize: 16 } },
  "a shared trunk with linear logits": {
    policy: { kind: "actor_critic", hiddenSize: 16, decoupled: false, boundedLogits: false },
  },
  "no recurrence": { policy: { kind: "actor_critic", hiddenSize: 16, gruLayers: 0 } },
  "separate trunks with tanh": { policy: { kind: "mlp", hiddenSizes: [16, 8] } },
  "separate trunks with relu": { policy: { kind: "mlp", hiddenSizes: [8], activation: "relu" } },
  "the replica scorer": {
    state: { layout: "signalbox" },
    policy: { kind: "replica_scorer", hiddenSize: 16 },
  },
  "the replica scorer without its residual": {
    policy: { kind: "replica_scorer", hiddenSize: 16, loadResidualSlope: 0 },
  },
};

/** A policy with weights far from their initial ones and statistics of made-up observations. */
function createTrained(input: Record<string, unknown>, rng: Rng): TrainedPolicy {
  const config = parseExperimentConfig(input);
  const { layout, schemaHash } = new StateBuilder(config.state, REPLICAS);
  const shape = { observationSize: layout.size, actionCount: REPLICAS, replicaLayout: layout };
  const policy = createPolicy(config.policy, shape, rng.stream("weights"));
  for (const variable of policy.parameters.variables) {
    const values = Float32Array.from({ length: variable.size }, () => 0.4 * rng.normal());
    policy.parameters.assign(variable, values);
  }
  const normalizer = new RunningNormalizer(layout.size, config.normalizer);
  normalizer.update(observe(layout.size * 20, rng));
  normalizer.freeze();
  return { config, policy, normalizer, schemaHash, replicaCount: REPLICAS };
}

/** Numbers of very different sizes, as observations have. */
function observe(count: number, rng: Rng): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => 10 ** (i % 5 - 1) * (3 + rng.normal()));
}

for (const [name, input] of Object.entries(CASES)) {
  Deno.test(`exportOnnx() computes in onnxruntime what the policy computes: ${name}`, async () => {
    const rng = new Rng(3);
    const trained = createTrained(input, rng);
    const { policy, normalizer } = trained;
    const session = await InferenceSession.create(exportOnnx(trained));
    const { hiddenStateSize, observationSize } = policy;
    const tensor = (values: Float32Array) =>
      new Tensor("float32", values, [BATCH, values.length / BATCH]);
    let hiddenStates = policy.initialHiddenStates(BATCH);
    for (let step = 0; step < 3; step++) {
      const observations = observe(BATCH * observationSize, rng);
      const actionMasks = Uint8Array.from(
        { length: BATCH * REPLICAS },
        (_, i) => i % REPLICAS === 1 || rng.uniform() < 0.6 ? 1 : 0,
      );
      const results = await session.run({
        observations: tensor(observations),
        action_mask: tensor(Float32Array.from(actionMasks)),
        ...(hiddenStateSize === 0 ? {} : { hidden_states: tensor(hiddenStates) }),
      });
      const expected = policy.predict(
        normalizer.normalize(observations, new Float32Array(observations.length)),
        { hiddenStates, actionMasks },
      );
      const logits = expected.logits.map((logit, i) => actionMasks[i] === 1 ? logit : -1e30);
      // float32 sums in another order, over up to 300 terms.
      const tolerance = { rtol: 1e-4, atol: 1e-4 };
      assertAllClose(results.logits!.data as Float32Array, logits, tolerance);
      assertAllClose(results.values!.data as Float32Array, expected.values, tolerance);
      assert.deepEqual(results.values!.dims, [BATCH]);
      if (hiddenStateSize > 0) {
        const next = results.next_hidden_states!.data as Float32Array;
        assertAllClose(next, expected.hiddenStates, tolerance);
        hiddenStates = expected.hiddenStates;
      }
      const [first, ...others] = expected.logits;
      assert.ok(others.some((logit) => Math.abs(logit - first!) > 0.01), "logits differ");
    }
    await session.release();
    policy.dispose();
  });
}
