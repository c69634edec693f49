/** The work of `nn.ts`: the document's network in training and acting. */
import { createPolicy, type Policy, policySchema } from "../lib/policy/mod.ts";
import { ppoSchema, PpoTrainer, RolloutBuffer } from "../lib/ppo/mod.ts";
import { Rng } from "../lib/random/mod.ts";

/** Source: spec/scheduler.md section 0, with four replicas and a state of 200. */
const SHAPE = { observationSize: 200, actionCount: 4 } as const;

/** One kind of work, repeatable. */
export interface Work {
  /** Does it once. */
  readonly run: () => void;
  /** Frees what it holds. */
  readonly dispose: () => void;
}

function documentPolicy(rng: Rng): Policy {
  return createPolicy(policySchema.parse({ kind: "actor_critic" }), SHAPE, rng.stream("weights"));
}

/**
 * One optimiser step on one minibatch through the trainer: gathering, forward, PPO's objective,
 * backward, clipping, Adam, statistics. `rows` sequences of `steps` decisions.
 */
export function trainingStep(steps: number, rows: number): Work {
  const rng = new Rng(1);
  const policy = documentPolicy(rng);
  const { hiddenStateSize } = policy;
  const buffer = new RolloutBuffer({
    ...SHAPE,
    rolloutLength: steps,
    environmentCount: rows,
    hiddenStateSize,
    sequenceLength: steps,
  });
  for (let t = 0; t < steps; t++) {
    const observations = normals(rng, rows * SHAPE.observationSize);
    const episodeStarts = new Uint8Array(rows);
    const decision = policy.act(observations, { hiddenStates: buffer.hiddenStates, sampler: rng });
    buffer.addDecision({
      observations,
      episodeStarts,
      decision,
      temperatures: new Float32Array(rows).fill(1),
      actionMasks: new Uint8Array(rows * SHAPE.actionCount).fill(1),
    });
    buffer.addOutcome({
      rewards: normals(rng, rows),
      terminated: episodeStarts,
      truncated: episodeStarts,
      truncationValues: new Float32Array(rows),
      discounts: new Float64Array(rows).fill(0.95),
    });
  }
  buffer.finish(new Float32Array(rows), { gaeLambda: 0.95 });
  const config = ppoSchema.parse({
    epochs: 1,
    rolloutLength: steps,
    minibatchSize: steps * rows,
    learningRate: 1e-6,
    targetKl: null,
  });
  const trainer = new PpoTrainer(policy, config, { rng });
  return {
    run: () => void trainer.update(buffer, { progress: 0 }),
    dispose: () => {
      trainer.dispose();
      policy.dispose();
    },
  };
}

/** One decision for each of `rows` environments: forward, sampling, new hidden states. */
export function acting(rows: number): Work {
  const rng = new Rng(1);
  const policy = documentPolicy(rng);
  const observations = normals(rng, rows * SHAPE.observationSize);
  let hiddenStates = policy.initialHiddenStates(rows);
  return {
    run: () => {
      ({ hiddenStates } = policy.act(observations, { hiddenStates, sampler: rng }));
    },
    dispose: () => policy.dispose(),
  };
}

function normals(rng: Rng, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => rng.normal());
}
