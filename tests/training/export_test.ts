import * as tf from "@tensorflow/tfjs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { createPolicy } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { RunningNormalizer, StateBuilder } from "../../lib/state/mod.ts";
import { exportOnnx, exportTfjs, type TrainedPolicy } from "../../lib/training/mod.ts";
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
  "the replica scorer with a critic of its own": {
    policy: { kind: "replica_scorer", hiddenSize: 16, sharedEncoder: false },
  },
  "the replica scorer whose critic sees output lengths": {
    state: { criticSeesOutputTokens: true },
    policy: { kind: "replica_scorer", hiddenSize: 16, sharedEncoder: false },
  },
  "the replica scorer with attention": {
    policy: { kind: "replica_scorer", hiddenSize: 16, attentionHeads: 4 },
  },
  "the replica scorer with one head and identities, a critic of its own": {
    policy: {
      kind: "replica_scorer",
      hiddenSize: 16,
      attentionHeads: 1,
      identitySize: 3,
      sharedEncoder: false,
    },
  },
  "the replica scorer with bounded logits": {
    policy: { kind: "replica_scorer", hiddenSize: 16, boundedLogits: true },
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

/** Runs one step of a model: arrays by the names of its inputs in, by those of its outputs out. */
type RunModel = (
  inputs: Readonly<Record<string, Float32Array>>,
) => Promise<Readonly<Record<string, Float32Array>>>;

/** float32 sums in another order, over up to 300 terms; in tfjs float32 normalisation as well. */
const TOLERANCE = { rtol: 2e-4, atol: 2e-4 };

/** Fails unless the model computes what the policy computes, over some steps. */
async function compareWithPolicy(trained: TrainedPolicy, run: RunModel): Promise<void> {
  const rng = new Rng(4);
  const { policy, normalizer } = trained;
  const { hiddenStateSize, observationSize } = policy;
  let hiddenStates = policy.initialHiddenStates(BATCH);
  for (let step = 0; step < 3; step++) {
    const observations = observe(BATCH * observationSize, rng);
    const actionMasks = Uint8Array.from(
      { length: BATCH * REPLICAS },
      (_, i) => i % REPLICAS === 1 || rng.uniform() < 0.6 ? 1 : 0,
    );
    const results = await run({
      observations,
      "action_mask": Float32Array.from(actionMasks),
      ...(hiddenStateSize === 0 ? {} : { "hidden_states": hiddenStates }),
    });
    const expected = policy.predict(
      normalizer.normalize(observations, new Float32Array(observations.length)),
      { hiddenStates, actionMasks },
    );
    const logits = expected.logits.map((logit, i) => actionMasks[i] === 1 ? logit : -1e30);
    assertAllClose(results.logits!, logits, TOLERANCE);
    assertAllClose(results.values!, expected.values, TOLERANCE);
    if (hiddenStateSize > 0) {
      assertAllClose(results.next_hidden_states!, expected.hiddenStates, TOLERANCE);
      hiddenStates = expected.hiddenStates;
    }
    const [first, ...others] = expected.logits;
    assert.ok(others.some((logit) => Math.abs(logit - first!) > 0.01), "logits differ");
  }
}

for (const [name, input] of Object.entries(CASES)) {
  Deno.test(`exportOnnx() computes in onnxruntime what the policy computes: ${name}`, async () => {
    const trained = createTrained(input, new Rng(3));
    const session = await InferenceSession.create(exportOnnx(trained));
    await compareWithPolicy(trained, async (inputs) => {
      const results = await session.run(
        mapValues(
          inputs,
          (values) => new Tensor("float32", values, [BATCH, values.length / BATCH]),
        ),
      );
      return mapValues(results, ({ data }) => data as Float32Array);
    });
    await session.release();
    trained.policy.dispose();
  });

  Deno.test(`exportTfjs() computes in TensorFlow.js what the policy computes: ${name}`, async () => {
    const trained = createTrained(input, new Rng(3));
    const { "model.json": json, "weights.bin": weights } = exportTfjs(trained);
    // As from a file: the header has to survive JSON.
    const artifacts = await tf.io.getModelArtifactsForJSON(
      JSON.parse(JSON.stringify(json)),
      (manifest) => Promise.resolve([manifest.flatMap((group) => group.weights), weights.buffer]),
    );
    const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
    const tensorsBefore = tf.memory().numTensors;
    await compareWithPolicy(trained, (inputs) =>
      Promise.resolve(tf.tidy(() => {
        const tensors = mapValues(
          inputs,
          (values) => tf.tensor2d(values.slice(), [BATCH, values.length / BATCH]),
        );
        const { outputs } = json.signature as { readonly outputs: object };
        const names = Object.keys(outputs);
        const results = model.execute(tensors, names) as tf.Tensor[];
        return Object.fromEntries(
          names.map((name, k) => [name, Float32Array.from(results[k]!.dataSync())]),
        );
      })));
    assert.equal(tf.memory().numTensors, tensorsBefore);
    model.dispose();
    trained.policy.dispose();
  });
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

Deno.test("exportOnnx() and exportTfjs() say what the numbers of an observation mean", async () => {
  const trained = createTrained({ policy: { kind: "mlp", hiddenSizes: [4] } }, new Rng(3));
  const { featureNames, schemaHash } = new StateBuilder(trained.config.state, REPLICAS);
  const metadata = exportTfjs(trained)["model.json"].userDefinedMetadata!;
  assert.deepEqual(JSON.parse(String(metadata.feature_names)), featureNames);
  assert.equal(metadata.schema_hash, schemaHash);
  const session = await InferenceSession.create(exportOnnx(trained));
  assert.deepEqual(session.inputNames, ["observations", "action_mask"]);
  assert.deepEqual(session.outputNames, ["logits", "values"]);
  await session.release();
  trained.policy.dispose();
});
