/**
 * Updates as TensorBoard curves.
 *
 * @module
 */
import type { ClusterTailSummary, TensorBoardWriter } from "../metrics/mod.ts";
import type { RolloutBuffer } from "../ppo/mod.ts";
import { REWARD_TERMS } from "../reward/mod.ts";
import type { UpdateRecord } from "./update_record.ts";

/**
 * Adds one update to an event file, at the step of its decisions, with histograms of its rollout.
 * Tags are those of spec/scheduler.md section 14.1, where the original has them; the rewards' parts,
 * the temperature and the replicas' shares, which it kept out of TensorBoard, are there too. Its tags
 * of single decisions are means over the rollout here (the decisions themselves are the business of
 * {@linkcode decisionRow}); `System/BufferProgress`, which is 1 at every update, and
 * `Debug/SkippedInvalidMetrics`, which this reward does not do, are left out. A number that does not
 * exist (no request completed yet) is left out, not written as 0.
 *
 * @example
 * ```ts
 * import { TensorBoardWriter } from "@signalbox/signalbox/metrics";
 * import { addUpdateEvents, type TrainingRun } from "@signalbox/signalbox/training";
 *
 * async function logUpdates(folder: string, run: TrainingRun): Promise<void> {
 *   await using writer = await TensorBoardWriter.create(folder, { nowSeconds: () => 0 });
 *   while (run.updatesDone < 10) addUpdateEvents(writer, run.update(10), run.rollout);
 * }
 * ```
 */
export function addUpdateEvents(
  writer: TensorBoardWriter,
  record: UpdateRecord,
  rollout: RolloutBuffer,
): void {
  const { stats, reward, tailLatency, curriculum, actionCounts } = record;
  const tail = tailLatency?.cluster;
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
    "Rollout/RewardMin": record.rewardMin,
    "Rollout/RewardMax": record.rewardMax,
    "Rollout/ValueMean": record.valueMean,
    "Rollout/ReturnMean": record.returnMean,
    "Rollout/AdvantageStd": record.advantageStd,
    "Reward/Total": reward.reward,
    "Reward/Throughput": reward.throughput,
    "Reward/Latency": reward.latencySeconds,
    "Debug/RawReward": reward.rawReward,
    "System/Throughput": record.throughput,
    "System/Latency": record.latencyMeanSeconds,
    "System/Temperature": record.temperature,
    "curriculum/stage_index": curriculum.stageIndex,
    "curriculum/stage_progress": curriculum.stageProgress,
    "curriculum/qps_scale": curriculum.difficulty.rateScale,
    "curriculum/latency_threshold_scale": curriculum.difficulty.latencyThresholdScale,
    "curriculum/reward_penalty_scale": curriculum.difficulty.rewardPenaltyScale,
    "tail_latency/latency_p90": tail?.p90Seconds ?? null,
    "tail_latency/latency_p95": tail?.p95Seconds ?? null,
    "tail_latency/latency_p99": tail?.p99Seconds ?? null,
    "tail_latency/tail_latency_samples": tail?.sampleCount ?? null,
    "tail_latency/tail_latency_alerts": tail?.alertCount ?? null,
    "tail_latency/tail_latency_violations": tail?.violationCount ?? null,
    "tail_latency/tail_latency_violation_rate": tail?.violationRate ?? null,
  };
  for (const term of REWARD_TERMS) scalars[`Reward/${term}`] = reward[term];
  actionCounts.forEach((count, replica) => scalars[`Actions/Replica_${replica}`] = count);
  if (tailLatency !== null) Object.assign(scalars, replicaTails(tailLatency));
  for (const [tag, value] of Object.entries(scalars)) {
    if (value !== null) writer.scalar(tag, value, record.decisions);
  }
  const histograms = {
    "Rollout/Rewards": rollout.rewards,
    "Rollout/Values": rollout.values,
    "Rollout/Returns": rollout.returns,
    "Rollout/Advantages": rollout.advantages,
    "Rollout/LogProbs": rollout.logProbs,
  };
  for (const [tag, values] of Object.entries(histograms)) {
    writer.histogram(tag, values, record.decisions);
  }
  for (const { kind, message } of record.warnings) {
    writer.text(`Warnings/${kind}`, message, record.decisions);
  }
}

/** Tail latencies by replica and over replicas, with the names of spec/scheduler.md section 14.3. */
function replicaTails(tails: ClusterTailSummary): Record<string, number> {
  const scalars: Record<string, number> = {};
  tails.replicas.forEach((summary, replica) => {
    if (summary === null) return;
    scalars[`tail_latency/replica_${replica}_latency_p90`] = summary.p90Seconds;
    scalars[`tail_latency/replica_${replica}_latency_p95`] = summary.p95Seconds;
    scalars[`tail_latency/replica_${replica}_latency_p99`] = summary.p99Seconds;
  });
  for (const percentile of ["p90", "p95", "p99"] as const) {
    const { maxSeconds, meanSeconds, stdSeconds } = tails[percentile];
    scalars[`tail_latency/aggregated_${percentile}_max`] = maxSeconds;
    scalars[`tail_latency/aggregated_${percentile}_mean`] = meanSeconds;
    scalars[`tail_latency/aggregated_${percentile}_std`] = stdSeconds;
  }
  return scalars;
}
