/** The engine against a literal transcription of Vidur's event loop, on random cases. */
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { createLorQueueOnly } from "../../lib/routing/mod.ts";
import { Simulator } from "../../lib/simulator/mod.ts";
import type { BatchShape, BatchTimer } from "../../lib/timing/mod.ts";
import { makeReplica, makeWorkload } from "./_fixtures.ts";
import { runReference } from "./_reference.ts";

/** Uses every field of a batch's shape, so that none can be wrong unnoticed. */
const curiousTimer: BatchTimer = {
  modelSeconds: (batch: BatchShape, stage: number) => {
    let prefill = 0;
    for (let i = 0; i < batch.prefillCount; i++) {
      prefill += (batch.prefillContextTokens[i]! + 3) * batch.prefillChunkTokens[i]!;
    }
    return 0.01 + stage * 0.003 + 1e-4 * batch.totalTokens + 1e-5 * batch.decodeContextTokens +
      2e-5 * batch.maxDecodeContextTokens + 1e-3 * batch.decodeCount + 1e-6 * prefill +
      1e-3 * batch.requestCount;
  },
  overheadSeconds: () => 0.002,
};

/** Steps of an eighth of a second: completions and arrivals fall together all the time. */
const steppedTimer: BatchTimer = {
  modelSeconds: (batch) => 0.125 * (1 + (batch.prefillCount & 1)),
  overheadSeconds: () => 0.125,
};

const scenario = fc.record({
  kind: fc.constantFrom("sarathi", "vllm", "orca", "faster_transformer", "lightllm"),
  stageCount: fc.integer({ min: 1, max: 4 }),
  kvBlocks: fc.integer({ min: 10, max: 40 }),
  batchSizeCap: fc.integer({ min: 4, max: 16 }),
  chunkTokens: fc.integer({ min: 4, max: 64 }),
  watermarkFraction: fc.constantFrom(0, 0.05, 0.1),
  replicaCount: fc.integer({ min: 1, max: 3 }),
  timer: fc.constantFrom(curiousTimer, steppedTimer),
  choices: fc.oneof(
    fc.array(fc.nat(10), { minLength: 1, maxLength: 7 }),
    fc.constant("lor" as const),
  ),
  blockSize: fc.constantFrom(2, 4, 8),
  maxWaitingIterations: fc.integer({ min: 0, max: 4 }),
  requests: fc.array(
    fc.record({
      gap: fc.constantFrom(0, 0, 0.125, 0.25, 0.31),
      prompt: fc.integer({ min: 1, max: 30 }),
      output: fc.integer({ min: 1, max: 20 }),
    }),
    { minLength: 1, maxLength: 25 },
  ),
});

Deno.test("Simulator does exactly what Vidur's event loop does: times, batches, order, restarts", () => {
  fc.assert(
    fc.property(scenario, (drawn) => {
      const { kind, replicaCount, timer, choices, requests, maxWaitingIterations } = drawn;
      const { batchSizeCap, chunkTokens, watermarkFraction } = drawn;
      const isTokenGranular = kind === "lightllm";
      const stageCount = isTokenGranular ? 1 : drawn.stageCount;
      const blockSize = isTokenGranular ? 1 : drawn.blockSize;
      const kvBlocks = Math.ceil(drawn.kvBlocks * 4 / blockSize);
      const spec = makeReplica({
        kind,
        batchSizeCap,
        chunkTokens,
        watermarkFraction,
        blockSize,
        maxWaitingIterations,
        maxTokensInBatch: 64,
        maxTokensPerRequest: 20,
      }, { stageCount, kvBlocks, timer, compat: "vidur", maxBatchSize: batchSizeCap });
      let clock = 0;
      const workload = makeWorkload(
        requests.map(({ gap, prompt, output }) => [clock += gap, prompt, output] as const),
      );
      const replicas = Array.from({ length: replicaCount }, () => spec);
      const expected = runReference(workload, replicas, choices);
      const router = createLorQueueOnly();
      const batches: string[] = [];
      const simulator = new Simulator(workload, replicas, {
        observers: [{
          onBatchStageEnd: ({ stage, requestCount, ...record }) => {
            if (stage < stageCount - 1) return;
            const rows = Array.from(record.requests).slice(0, requestCount);
            const tokens = Array.from(record.tokens).slice(0, requestCount);
            batches.push(
              `${record.batchIndex}@${record.replica} ${rows} ${tokens} ${record.endSeconds}`,
            );
          },
        }],
      });
      const { outcomes, eventCount } = simulator.run(
        ({ request, view }) =>
          choices === "lor"
            ? router.route({ nowSeconds: view.nowSeconds, request, view })
            : choices[request.index % choices.length]! % replicaCount,
      );
      assert.deepEqual(batches, expected.batches);
      assert.equal(eventCount, expected.eventCount);
      const column = (of: (request: typeof expected.requests[number]) => number) =>
        expected.requests.map(of);
      assert.deepEqual([...outcomes.replica], column((r) => r.replica));
      assert.deepEqual([...outcomes.scheduledSeconds], column((r) => r.scheduledAt));
      assert.deepEqual([...outcomes.firstTokenSeconds], column((r) => r.prefillCompletedAt));
      assert.deepEqual([...outcomes.completedSeconds], column((r) => r.completedAt));
      assert.deepEqual([...outcomes.executionSeconds], column((r) => r.executionTime));
      assert.deepEqual([...outcomes.preemptedSeconds], column((r) => r.preemptedTime));
      assert.deepEqual([...outcomes.restarts], column((r) => r.restarts));
      assert.deepEqual([...simulator.promptTokensAfterRestarts()], column((r) => r.P));
    }),
    { numRuns: 400, seed: 20_211_130 },
  );
});
