import {
  BatchDistributions,
  LatencyDistribution,
  TokenGapMeter,
} from "@signalbox/signalbox/metrics";
import { Simulator } from "@signalbox/signalbox/simulator";
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { makeReplica, makeWorkload } from "../simulator/_fixtures.ts";
import { scenarioArbitrary } from "../simulator/_scenario.ts";

Deno.test("TokenGapMeter counts the wait for another prompt as a gap", () => {
  // One second an iteration: tokens of request 0 at 1, 2 and, after the prompt of 1 alone, 4 and 5.
  const workload = makeWorkload([[0, 10, 4], [1.5, 10, 2]]);
  const meter = new TokenGapMeter(workload.count);
  const { outcomes } = new Simulator(workload, [makeReplica({ kind: "vllm" })], {
    observers: [meter],
  }).run(() => 0);
  assert.deepEqual([...outcomes.completedSeconds], [5, 4]);
  assert.equal(meter.gaps.count, 4);
  assert.deepEqual([0, 1].map((q) => meter.gaps.quantile(q)), [1, 2]);
  assert.equal(meter.gaps.mean(), 1.25); // 1, 2 and 1 of request 0, 1 of request 1
});

Deno.test("TokenGapMeter sees every token once, whatever is preempted or fails", () => {
  let restarts = 0;
  fc.assert(
    fc.property(scenarioArbitrary, ({ replicas, workload, incidents, choices }) => {
      const meter = new TokenGapMeter(workload.count);
      const produced = new Int32Array(workload.count);
      const firstSeconds = new Float64Array(workload.count).fill(NaN);
      const lastSeconds = new Float64Array(workload.count);
      const simulator = new Simulator(workload, replicas, {
        incidents,
        observers: [meter, {
          onTokens(requests, count, _replica, nowSeconds) {
            for (let i = 0; i < count; i++) {
              if (produced[requests[i]!]!++ === 0) firstSeconds[requests[i]!] = nowSeconds;
              lastSeconds[requests[i]!] = nowSeconds;
            }
          },
        }],
      });
      let next = 0;
      const { outcomes } = simulator.run(({ view }) => {
        const available = replicas.map((_, i) => i).filter((i) => view.isAvailable(i));
        return available[choices[next++ % choices.length]! % available.length]!;
      });
      assert.deepEqual(produced, workload.outputTokens);
      assert.deepEqual(firstSeconds, outcomes.firstTokenSeconds);
      assert.deepEqual(lastSeconds, outcomes.completedSeconds);
      const gaps = workload.outputTokens.reduce((sum, tokens) => sum + tokens - 1, 0);
      assert.equal(meter.gaps.count, gaps);
      if (gaps > 0) {
        const decoding = lastSeconds.reduce((sum, last, i) => sum + last - firstSeconds[i]!, 0);
        assert.ok(Math.abs(meter.gaps.mean() * gaps - decoding) < 1e-9);
      }
      restarts += outcomes.restarts.reduce((a, b) => a + b, 0);
    }),
    { numRuns: 200, seed: 20_231_116 },
  );
  assert.ok(restarts > 20, `the cases must preempt, current restarts are ${restarts}`);
});

Deno.test("BatchDistributions takes a batch in once, from forming to the last stage", () => {
  const replica = makeReplica({ chunkTokens: 8 }, { stageCount: 2 });
  const batches = new BatchDistributions([replica]);
  const workload = makeWorkload([[0, 12, 2]]);
  new Simulator(workload, [replica], { observers: [batches] }).run(() => 0);
  assert.equal(batches.seconds.count, 3); // chunks of 8 and 4, one decode
  assert.deepEqual([0, 0.5, 1].map((q) => batches.tokens.quantile(q)), [1, 4, 8]);
  assert.equal(batches.seconds.mean(), 2); // a second a stage
  assert.equal(batches.prefillTokens.mean(), 4);
  assert.equal(batches.decodeTokens.quantile(1), 1);
  assert.equal(batches.requests.mean(), 1);
});

Deno.test("LatencyDistribution.add() takes a value many times at once, exact or sketched", () => {
  for (const exactCount of [1000, 10]) {
    const once = new LatencyDistribution({ exactCount });
    const many = new LatencyDistribution({ exactCount });
    for (let value = 1; value <= 20; value++) {
      many.add(value, value);
      for (let i = 0; i < value; i++) once.add(value);
    }
    assert.equal(many.count, 210);
    assert.equal(many.isExact, once.isExact);
    assert.ok(Math.abs(many.mean() - once.mean()) < 1e-12);
    for (const q of [0, 0.1, 0.5, 0.99, 1]) assert.equal(many.quantile(q), once.quantile(q));
  }
});
