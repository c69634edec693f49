import { createPolicy } from "../../lib/policy/mod.ts";
import { type PpoConfig, ppoSchema, PpoTrainer, type UpdateStats } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { collectRollout, createRolloutBuffer, VectorEnvironment } from "../../lib/training/mod.ts";
import { CONFIGS, REPLICA_LAYOUT, SHAPE } from "../policy/_policies.ts";
import { createNoisyEnvironment } from "./_noisy_environment.ts";

/** A policy, two environments with short episodes and a trainer. */
export function createTraining(name: string, ppo: Partial<PpoConfig> = {}) {
  const rng = new Rng(1);
  const environments = new VectorEnvironment(
    [0, 1].map((n) => createNoisyEnvironment(rng.stream(`environment ${n}`), SHAPE)),
  );
  const shape = { ...SHAPE, replicaLayout: REPLICA_LAYOUT };
  const policy = createPolicy(CONFIGS[name]!, shape, rng.stream("weights"));
  const config = ppoSchema.parse({
    rolloutLength: 8,
    minibatchSize: 8,
    epochs: 2,
    targetKl: null,
    ...ppo,
  });
  const buffer = createRolloutBuffer(policy, config, { environmentCount: 2 });
  const trainer = new PpoTrainer(policy, config, { rng: rng.stream("minibatches") });
  const actions = rng.stream("actions");
  function collect(): void {
    collectRollout(policy, environments, {
      buffer,
      rng: actions,
      config,
      returnNormalizer: trainer.returnNormalizer,
      temperature: (n) => 1.5 + n,
    });
  }
  function update(progress = 0): UpdateStats {
    collect();
    return trainer.update(buffer, { progress });
  }
  return { policy, buffer, trainer, collect, update };
}
