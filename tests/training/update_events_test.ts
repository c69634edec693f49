import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { TensorBoardWriter } from "../../lib/metrics/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  addUpdateEvents,
  openScenario,
  TrainingRun,
  type UpdateRecord,
} from "../../lib/training/mod.ts";
import assert from "node:assert/strict";
import { isTensorBoardInstalled, readWithTensorBoard, skipNote } from "../_tensorboard.ts";

/** Tags of spec/scheduler.md section 14.1, but for those of single decisions. */
const DOCUMENTED = [
  ...["PolicyLoss", "ValueLoss", "Entropy", "ApproxKL", "ClipFraction", "ExplainedVariance"]
    .map((name) => `Training/${name}`),
  ...["Training/GradientNorm", "Training/LearningRate"],
  ...["RewardMean", "RewardStd", "RewardMin", "RewardMax", "ValueMean", "ReturnMean"]
    .map((name) => `Rollout/${name}`),
  ...["Rollout/AdvantageStd", "Reward/Total", "Reward/Throughput", "Reward/Latency"],
  ...[0, 1, 2, 3].map((replica) => `Actions/Replica_${replica}`),
  ...["stage_index", "stage_progress", "qps_scale", "latency_threshold_scale"]
    .map((name) => `curriculum/${name}`),
  "curriculum/reward_penalty_scale",
  ...["latency_p90", "latency_p95", "latency_p99", "tail_latency_samples", "tail_latency_alerts"]
    .map((name) => `tail_latency/${name}`),
  ...["tail_latency/tail_latency_violations", "tail_latency/tail_latency_violation_rate"],
];

/** What the original kept out of TensorBoard, and section 14.3's values over replicas. */
const OURS = [
  ...["Training/EntropyCoef", "System/Temperature", "Debug/RawReward", "Reward/latencyTerm"],
  ...["aggregated_p99_max", "aggregated_p99_mean", "aggregated_p99_std", "aggregated_p95_max"]
    .map((name) => `tail_latency/${name}`),
];

Deno.test({
  name: `TensorBoard reads back what addUpdateEvents() wrote${skipNote}`,
  ignore: !isTensorBoardInstalled,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const config = parseExperimentConfig({
      policy: { kind: "mlp", hiddenSizes: [4] },
      training: { environments: 2, episodeRequests: 60 },
      ppo: { rolloutLength: 32, epochs: 1 },
    });
    const run = new TrainingRun(await openScenario(config), new Rng(1));
    try {
      const records: UpdateRecord[] = [];
      const advantages: number[] = [];
      {
        await using writer = await TensorBoardWriter.create(folder, { nowSeconds: () => 0 });
        writer.hparams({ learningRate: config.ppo.learningRate });
        for (let update = 0; update < 2; update++) {
          records.push(run.update(2));
          addUpdateEvents(writer, records.at(-1)!, run.rollout);
          if (update === 0) advantages.push(...run.rollout.advantages);
        }
      }
      const { scalars, histograms, texts } = await readWithTensorBoard(folder);
      for (const tag of [...DOCUMENTED, ...OURS]) {
        assert.equal(scalars[tag]?.at(-1)?.[0], 128, `${tag} at the decisions of the last update`);
      }
      assert.deepEqual(
        [0, 1, 2, 3].map((replica) => Number(scalars[`Actions/Replica_${replica}`]![0]![2])),
        records[0]!.actionCounts,
      );
      assert.deepEqual(
        scalars["Training/PolicyLoss"]!.map(([step, , value]) => [step, Number(value)]),
        records.map(({ decisions, stats }) => [decisions, Math.fround(stats.policyLoss)]),
      );
      assert.deepEqual(Object.keys(histograms).sort(), [
        ...["Rollout/Advantages", "Rollout/LogProbs", "Rollout/Returns", "Rollout/Rewards"],
        "Rollout/Values",
      ]);
      const [least, largest, count] = histograms["Rollout/Advantages"]!;
      assert.deepEqual(
        [least, largest, count],
        [Math.min(...advantages), Math.max(...advantages), 64],
      );
      const warned = new Set(records.flatMap(({ warnings }) => warnings.map(({ kind }) => kind)));
      assert.deepEqual(
        Object.keys(texts).sort(),
        [...warned].map((kind) => `Warnings/${kind}/text_summary`).sort(),
      );
    } finally {
      run.dispose();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
