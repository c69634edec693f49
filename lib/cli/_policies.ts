/** Policies by name on a command line. */
import { UsageError } from "../support/mod.ts";
import {
  baselineNames,
  heuristicEntry,
  loadTrainedPolicy,
  policyEntry,
  type RouterEntry,
  type Scenario,
  useSimdBackend,
} from "../training/mod.ts";

/** Prefix of a trained policy's name; a path follows. */
const TRAINED = "ppo:";

/**
 * The policy of that name: a router, or `ppo:PATH`, which acts greedily.
 *
 * @throws {UsageError} When there is no such router, or the policy is for another cluster size.
 * @throws {CheckpointError} When the path holds no usable checkpoint.
 */
export async function findPolicy(scenario: Scenario, name: string): Promise<RouterEntry> {
  if (name.startsWith(TRAINED)) return await trainedEntry(scenario, name);
  if (!(baselineNames as readonly string[]).includes(name)) {
    throw new UsageError(
      `Cannot find the policy: it must be one of ${baselineNames.join(", ")} or ${TRAINED}PATH, ` +
        `current value is ${JSON.stringify(name)}`,
    );
  }
  return heuristicEntry(scenario, name);
}

async function trainedEntry(scenario: Scenario, name: string): Promise<RouterEntry> {
  await useSimdBackend();
  const trained = await loadTrainedPolicy(name.slice(TRAINED.length));
  const replicaCount = scenario.replicas.length;
  if (trained.replicaCount !== replicaCount) {
    throw new UsageError(
      `Cannot use ${name}: the cluster must have ${trained.replicaCount} replicas, as in its training, current number is ${replicaCount}`,
    );
  }
  return policyEntry(trained, name, "greedy");
}
