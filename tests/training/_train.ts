import { createPolicy, type Policy, type PolicyConfig } from "../../lib/policy/mod.ts";
import { ppoSchema, PpoTrainer, type UpdateStats } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  collectRollout,
  createRolloutBuffer,
  type Environment,
  type RolloutStats,
  VectorEnvironment,
} from "../../lib/training/mod.ts";
import type { z } from "zod";

/** One small training run. */
export interface TrainingSetup {
  readonly seed: number;
  readonly environmentCount: number;
  readonly updates: number;
  readonly policy: PolicyConfig;
  readonly ppo: z.input<typeof ppoSchema>;
  readonly createEnvironment: (rng: Rng) => Environment;
  readonly temperature?: (environmentIndex: number) => number;
}

/** What it leaves; dispose of the policy. */
export interface TrainingOutcome {
  readonly policy: Policy;
  readonly rollouts: RolloutStats[];
  readonly updates: UpdateStats[];
}

/** Alternates rollouts and updates. */
export function train(setup: TrainingSetup): TrainingOutcome {
  const rng = new Rng(setup.seed);
  const environments = createEnvironments(setup, rng.stream("environments"));
  const policy = createPolicy(setup.policy, environments, rng.stream("weights"));
  const config = ppoSchema.parse(setup.ppo);
  const buffer = createRolloutBuffer(policy, config, { environmentCount: environments.count });
  const trainer = new PpoTrainer(policy, config, { rng: rng.stream("minibatches") });
  const actions = rng.stream("actions");
  const rollouts: RolloutStats[] = [];
  const updates: UpdateStats[] = [];
  for (let update = 0; update < setup.updates; update++) {
    rollouts.push(
      collectRollout(policy, environments, {
        buffer,
        rng: actions,
        config,
        returnNormalizer: trainer.returnNormalizer,
        temperature: setup.temperature,
      }),
    );
    updates.push(trainer.update(buffer, { progress: update / setup.updates }));
  }
  return { policy, rollouts, updates };
}

/** Mean return of whole greedy episodes in fresh environments. */
export function evaluateGreedy(
  policy: Policy,
  setup: TrainingSetup,
  { seed, episodes }: { readonly seed: number; readonly episodes: number },
): number {
  const environments = createEnvironments(setup, new Rng(seed));
  environments.reset();
  let hiddenStates = policy.initialHiddenStates(environments.count);
  let count = 0;
  let sum = 0;
  while (count < episodes) {
    const { observations, episodeStarts } = environments;
    const decision = policy.act(observations, { hiddenStates, episodeStarts, sampler: "greedy" });
    hiddenStates = decision.hiddenStates;
    environments.step(decision.actions);
    for (const { totalReward } of environments.takeEpisodes()) {
      count++;
      sum += totalReward;
    }
  }
  return sum / count;
}

function createEnvironments(setup: TrainingSetup, rng: Rng): VectorEnvironment {
  return new VectorEnvironment(
    Array.from(
      { length: setup.environmentCount },
      (_, n) => setup.createEnvironment(rng.stream(`environment ${n}`)),
    ),
  );
}
