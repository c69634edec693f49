/** The comparison that `deno task golden` prints: it has to notice every kind of difference. */
import assert from "node:assert/strict";
import type { GoldenCase } from "../../lib/cli/_golden_case.ts";
import { replayGoldenCase } from "../../lib/cli/_golden_replay.ts";
import { Simulator } from "../../lib/simulator/mod.ts";
import { affineTimer, makeReplica, makeWorkload } from "./_fixtures.ts";

const workload = makeWorkload([[0.5, 600, 3], [0.6, 40, 2], [0.7, 700, 1]]);
const replica = makeReplica({}, { compat: "vidur", timer: affineTimer });

/** A case recorded from the simulator itself, on two replicas in turn. */
function record(): GoldenCase {
  const expectedBatches: GoldenCase["expectedBatches"][number][] = [];
  let next = 0;
  const simulator = new Simulator(workload, [replica, replica], {
    observers: [{
      onBatchStageEnd: ({ requestCount, requests, tokens, ...batch }) =>
        expectedBatches.push({
          ...batch,
          requests: Array.from(requests).slice(0, requestCount),
          tokens: Array.from(tokens).slice(0, requestCount),
        }),
    }],
  });
  const { outcomes, eventCount, batchCount } = simulator.run(() => next++ % 2);
  const expectedRequests = Array.from({ length: workload.count }, (_, i) => ({
    replica: outcomes.replica[i]!,
    scheduled_at: outcomes.scheduledSeconds[i]!,
    prefill_completed_at: outcomes.firstTokenSeconds[i]!,
    completed_at: outcomes.completedSeconds[i]!,
    scheduling_delay: outcomes.scheduledSeconds[i]! - workload.arrivalSeconds[i]!,
    execution_time: outcomes.executionSeconds[i]!,
    model_execution_time: outcomes.modelExecutionSeconds[i]!,
    preempted_time: outcomes.preemptedSeconds[i]!,
    num_restarts: 0,
    final_prefill_tokens: workload.promptTokens[i]!,
    final_decode_tokens: workload.outputTokens[i]!,
  }));
  return {
    config: {
      name: "recorded",
      cluster_config: {
        num_replicas: 2,
        global_scheduler_config: { name: "round_robin" },
      } as GoldenCase["config"]["cluster_config"],
      request_generator_config: { max_tokens: 4096 },
      result: { events: eventCount, batches: batchCount, num_blocks: replica.kvBlocks },
    } as GoldenCase["config"],
    workload,
    expectedRequests,
    expectedBatches,
    replicas: [replica, replica],
  };
}

/** The report of a case in which one thing was changed. */
function replayChanged(change: (golden: GoldenCase) => GoldenCase) {
  return replayGoldenCase(change(record()));
}

Deno.test("replayGoldenCase() passes a run that is repeated exactly", () => {
  const report = replayChanged((golden) => golden);
  assert.equal(report.passed, true);
  assert.equal(report.maxAbsDiffSeconds, 0);
  assert.equal(report.requests, 3);
});

Deno.test("replayGoldenCase() tolerates a nanosecond and no more", () => {
  const shift = (seconds: number) =>
    replayChanged((golden) => ({
      ...golden,
      expectedRequests: golden.expectedRequests.map((row, i) =>
        i === 1 ? { ...row, completed_at: row["completed_at"]! + seconds } : row
      ),
    }));
  assert.equal(shift(0.9e-9).passed, true);
  const report = shift(1.1e-9);
  assert.equal(report.passed, false);
  assert.ok(report.maxAbsDiffSeconds > 1e-9);
});

Deno.test("replayGoldenCase() fails on another replica, restart, batch or count", () => {
  const changeRow = (change: Record<string, number>) => (golden: GoldenCase): GoldenCase => ({
    ...golden,
    expectedRequests: golden.expectedRequests.map((row, i) =>
      i === 0 ? { ...row, ...change } : row
    ),
  });
  const changeBatch = (change: Partial<GoldenCase["expectedBatches"][number]>) =>
  (
    golden: GoldenCase,
  ): GoldenCase => ({
    ...golden,
    expectedBatches: golden.expectedBatches.map((batch, i) =>
      i === 1 ? { ...batch, ...change } : batch
    ),
  });
  const changeResult =
    (change: Partial<GoldenCase["config"]["result"]>) => (golden: GoldenCase): GoldenCase => ({
      ...golden,
      config: { ...golden.config, result: { ...golden.config.result, ...change } },
    });
  assert.equal(replayChanged(changeRow({ replica: 1 })).replicaMismatches, 1);
  assert.equal(replayChanged(changeRow({ num_restarts: 1 })).restartMismatches, 1);
  assert.equal(replayChanged(changeBatch({ tokens: [1] })).batchMismatches, 1);
  assert.equal(replayChanged(changeBatch({ requests: [2] })).batchMismatches, 1);
  const missing = (golden: GoldenCase): GoldenCase => ({
    ...golden,
    expectedBatches: [...golden.expectedBatches, golden.expectedBatches[0]!],
  });
  assert.equal(replayChanged(missing).batchMismatches, 1);
  for (
    const change of [
      changeRow({ replica: 1 }),
      changeRow({ completed_at: NaN }),
      changeRow({ final_prefill_tokens: 1 }),
      changeBatch({ batchIndex: 7 }),
      changeBatch({ endSeconds: 0 }),
      changeResult({ events: 1 }),
      changeResult({ batches: 1 }),
      changeResult({ num_blocks: 1 }),
      missing,
    ]
  ) {
    assert.equal(replayChanged(change).passed, false);
  }
});
