/**
 * Updates as TensorBoard curves.
 *
 * @module
 */
import type { TensorBoardWriter } from "../metrics/mod.ts";
import { REWARD_TERMS } from "../reward/mod.ts";
import type { UpdateRecord } from "./update_record.ts";

/**
 * Adds one update to an event file, at the step of its decisions. Tags are those of
 * spec/scheduler.md section 14.1, where the original has them; the rewards' parts, the temperature
 * and the replicas' shares, which it kept out of TensorBoard, are there too. A number that does not
 * exist (no request completed yet) is left out, not written as 0.
 *
 * @example
 * ```ts
 * import { TensorBoardWriter } from "@signalbox/signalbox/metrics";
 * import { addUpdateEvents, type UpdateRecord } from "@signalbox/signalbox/training";
 *
 * async function logUpdates(folder: string, records: readonly UpdateRecord[]): Promise<void> {
 *   await using writer = await TensorBoardWriter.create(folder, { nowSeconds: () => 0 });
 *   for (const record of records) addUpdateEvents(writer, record);
 * }
 * ```
 */
export function addUpdateEvents(writer: TensorBoardWriter, record: UpdateRecord): void {
  const { stats, reward, tailLatency, curriculum, actionShares } = record;
  const scalars: Record<string, number | null> = {
    "Training/PolicyLoss": stats.policyLoss,
    "Training/ValueLoss": stats.valueLoss,
    "Training/Entropy": stats.entropy,
    "Training/EntropyCoef": stats.entropyCoef,
    "Training/ApproxKL": stats.approxKl,
    "Training/ClipFraction": stats.clipFraction,
    "Training/ExplainedVariance": stats.explainedVariance,
    "Training/GradientNorm": stats.gradNorm,
    "Training/LearningRate": stats.learningRate,
    "Training/ReferenceKL": stats.referenceKl,
    "Rollout/RewardMean": reward.reward,
    "Rollout/RewardStd": record.rewardStd,
    "Rollout/ValueMean": record.valueMean,
    "Rollout/ReturnMean": record.returnMean,
    "Reward/Throughput": reward.throughput,
    "Reward/Latency": reward.latencySeconds,
    "System/Throughput": record.throughput,
    "System/Latency": record.latencyMeanSeconds,
    "System/Temperature": record.temperature,
    "curriculum/stage_index": curriculum.stageIndex,
    "curriculum/stage_progress": curriculum.stageProgress,
    "tail_latency/latency_p90": tailLatency?.p90Seconds ?? null,
    "tail_latency/latency_p95": tailLatency?.p95Seconds ?? null,
    "tail_latency/latency_p99": tailLatency?.p99Seconds ?? null,
    "tail_latency/tail_latency_violation_rate": tailLatency?.violationRate ?? null,
  };
  for (const term of REWARD_TERMS) scalars[`Reward/${term}`] = reward[term];
  actionShares.forEach((share, replica) => scalars[`Actions/Replica_${replica}`] = share);
  for (const [tag, value] of Object.entries(scalars)) {
    if (value !== null) writer.scalar(tag, value, record.decisions);
  }
  for (const { kind, message } of record.warnings) {
    writer.text(`Warnings/${kind}`, message, record.decisions);
  }
}
