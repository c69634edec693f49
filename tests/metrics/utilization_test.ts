import * as fc from "fast-check";
import assert from "node:assert/strict";
import { UtilizationMeter } from "../../lib/metrics/mod.ts";
import { Simulator } from "../../lib/simulator/mod.ts";
import { makeReplica, makeWorkload } from "../simulator/_fixtures.ts";

const SMALL = { kvBlocks: 100 };

Deno.test("UtilizationMeter.summarize() averages over all of the time, idle time included", () => {
  // Ten operations a token and one a pair of query and key.
  const flops = { perToken: 10, perPair: 1, peakPerSecond: 10_000 };
  const replicas = [makeReplica({}, { ...SMALL, flops }), makeReplica({}, SMALL)];
  const meter = new UtilizationMeter(replicas);
  // Batches of a second each: 100 prompt tokens (7 blocks) at 2, a decode until 4; 32 tokens
  // (2 blocks) at 5 until 6.
  const workload = makeWorkload([[2, 100, 2], [5, 32, 1]]);
  new Simulator(workload, replicas, { observers: [meter] }).run(() => 0);
  const [used, idle] = meter.summarize(8);
  assert.deepEqual(used, {
    busyFraction: [3 / 8],
    mfu: [(133 * 10 + 100 * 100 + 101 + 1 + 32 * 32) / 80_000],
    kvMeanFraction: (7 * 2 + 2 * 1) / 8 / 100,
    kvMaxFraction: 0.07,
    batchCount: 3,
    meanBatchRequests: 1,
    meanBatchTokens: 133 / 3,
    prefillTokens: 132,
    decodeTokens: 1,
  });
  assert.deepEqual(idle, {
    busyFraction: [0],
    mfu: null,
    kvMeanFraction: 0,
    kvMaxFraction: 0,
    batchCount: 0,
    meanBatchRequests: 0,
    meanBatchTokens: 0,
    prefillTokens: 0,
    decodeTokens: 0,
  });
  for (const endSeconds of [5, 0, NaN, Infinity]) {
    assert.throws(() => meter.summarize(endSeconds), RangeError);
  }
});

Deno.test("UtilizationMeter counts a pipeline's stages apart and its batches once", () => {
  const replicas = [makeReplica({ batchSizeCap: 2 }, { ...SMALL, stageCount: 2 })];
  const meter = new UtilizationMeter(replicas);
  new Simulator(makeWorkload([[0, 16, 1], [0, 16, 1]]), replicas, { observers: [meter] })
    .run(() => 0);
  // Stage 0 in [0, 2], stage 1 in [1, 3]; both requests hold their block from 0 on, the first until
  // 2, but no batch is formed then that would say so: the second's record, of 2 blocks, holds on.
  const [use] = meter.summarize(4);
  assert.deepEqual(use!.busyFraction, [0.5, 0.5]);
  assert.equal(use!.batchCount, 2);
  assert.equal(use!.kvMeanFraction, (2 * 3) / 4 / 100);
});

Deno.test("UtilizationMeter keeps every share within [0, 1] and counts every token once", () => {
  const requests = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 20 }), fc.nat(200), fc.nat(20)),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(requests, fc.integer({ min: 1, max: 3 }), (rows, stageCount) => {
      const replicas = [makeReplica({}, { ...SMALL, stageCount })];
      const workload = makeWorkload(
        rows.map(([at, prompt, output]): [number, number, number] => [at, prompt + 1, output + 1])
          .sort((a, b) => a[0] - b[0]),
      );
      const meter = new UtilizationMeter(replicas);
      const { endSeconds, outcomes } = new Simulator(workload, replicas, { observers: [meter] })
        .run(() => 0);
      const [use] = meter.summarize(endSeconds);
      for (const share of [...use!.busyFraction, use!.kvMeanFraction, use!.kvMaxFraction]) {
        assert.ok(share >= 0 && share <= 1 + 1e-12);
      }
      assert.ok(use!.kvMeanFraction <= use!.kvMaxFraction + 1e-12);
      if (outcomes.restarts.some((count) => count > 0)) return;
      const sum = (values: Int32Array): number => values.reduce((a, b) => a + b, 0);
      assert.equal(use!.prefillTokens, sum(workload.promptTokens));
      assert.equal(use!.decodeTokens, sum(workload.outputTokens) - workload.count);
    }),
    { numRuns: 200, seed: 2 },
  );
});
