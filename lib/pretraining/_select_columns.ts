/**
 * Demonstrations for policies that see less than was collected.
 *
 * @module
 */
import { configDifferences, type ExperimentConfig } from "../config/mod.ts";
import { StateBuilder } from "../state/mod.ts";
import { UsageError } from "../support/mod.ts";
import type { Demonstrations } from "./demonstration_folder.ts";

/**
 * Observations as an experiment has them: those of the demonstrations, or the columns of them that
 * the experiment leaves, where it leaves out some and means the same by the others.
 *
 * @returns `[R, D]` with the experiment's D.
 * @throws {UsageError} When columns are missing or mean something else; says what to collect.
 */
export function selectColumns(
  { manifest, observations }: Demonstrations,
  experiment: Pick<ExperimentConfig, "state" | "policy">,
): Float32Array {
  const { schemaHash, featureNames, replicaCount, config: collected } = manifest;
  const schemaOf = (state: ExperimentConfig["state"]) => new StateBuilder(state, replicaCount);
  const wanted = schemaOf(experiment.state);
  if (wanted.schemaHash === schemaHash) return observations;
  const { criticSeesOutputTokens, enhancedFeatures, maxQueueRequests, queueDelayFeatures } =
    experiment.state;
  const narrowed = schemaOf({
    ...collected.state,
    criticSeesOutputTokens,
    enhancedFeatures,
    maxQueueRequests,
    queueDelayFeatures,
  });
  const columns = wanted.featureNames.map((name) => featureNames.indexOf(name));
  const meansTheSame = schemaOf(collected.state).schemaHash === schemaHash &&
    narrowed.schemaHash === wanted.schemaHash;
  if (meansTheSame && !columns.includes(-1)) {
    const width = featureNames.length;
    return Float32Array.from(
      { length: manifest.decisionCount * columns.length },
      (_, i) =>
        observations[Math.floor(i / columns.length) * width + columns[i % columns.length]!]!,
    );
  }
  const settings = [
    ...configDifferences(collected.state, experiment.state, "state"),
    // Decides what of the state is kept, see parseExperimentConfig.
    ...configDifferences(collected.policy, experiment.policy, "policy"),
  ].map(({ path, value }) =>
    ` --set '${path}=${typeof value === "string" ? value : JSON.stringify(value)}'`
  );
  throw new UsageError(
    `Cannot pretrain: schemaHash of the demonstrations must be ${wanted.schemaHash}, as in the ` +
      `experiment, current value is ${schemaHash}; collect them again, with deno task demos ` +
      `collect, its options of then${settings.length === 0 ? "" : " and"}${settings.join("")}`,
  );
}
