/** The event loop on cases small enough to follow by hand; an iteration takes one second. */
import assert from "node:assert/strict";
import { type BatchRecord, Simulator } from "../../lib/simulator/mod.ts";
import { makeReplica, makeWorkload } from "./_fixtures.ts";

const two = makeWorkload([[0, 10, 3], [0.5, 10, 1]]);

Deno.test("Simulator.run() counts events as Vidur does: 3 an arrival, 6 an iteration", () => {
  const result = new Simulator(two, [makeReplica()]).run(() => 0);
  // Iterations end at 1 (first prompt), 2 (decode and second prompt), 3.
  assert.equal(result.batchCount, 3);
  assert.equal(result.eventCount, 2 * 3 + 3 * 6);
  assert.equal(result.endSeconds, 3);
  assert.equal(result.unfinishedCount, 0);
});

Deno.test("Simulator.run() accounts execution, waiting and gaps", () => {
  const timer = { modelSeconds: () => 0.75, overheadSeconds: () => 0.25 };
  const replica = makeReplica({ kind: "vllm" }, { timer });
  const { outcomes } = new Simulator(two, [replica]).run(() => 0);
  // [0, 1] first prompt, [1, 2] second prompt (the first request's decode waits), [2, 4] decodes.
  assert.deepEqual([...outcomes.scheduledSeconds], [0, 1]);
  assert.deepEqual([...outcomes.firstTokenSeconds], [1, 2]);
  assert.deepEqual([...outcomes.completedSeconds], [4, 2]);
  assert.deepEqual([...outcomes.executionSeconds], [3, 1]);
  assert.deepEqual([...outcomes.modelExecutionSeconds], [2.25, 0.75]);
  assert.deepEqual([...outcomes.preemptedSeconds], [1, 0]);
  assert.deepEqual([...outcomes.restarts], [0, 0]);
});

Deno.test("Simulator.run() overlaps batches of a pipeline, one a stage", () => {
  const records: number[][] = [];
  const replica = makeReplica({ batchSizeCap: 2 }, { stageCount: 2 });
  const workload = makeWorkload([[0, 10, 2], [0, 10, 1]]);
  const { outcomes, eventCount } = new Simulator(workload, [replica], {
    observers: [{
      onBatchStageEnd: (record: BatchRecord) =>
        records.push([record.batchIndex, record.stage, record.startSeconds, record.endSeconds]),
    }],
  }).run(() => 0);
  // A batch holds at most batchSizeCap / stages = 1 request: both prompts are in flight at once,
  // the second a stage behind.
  assert.deepEqual(records, [
    [0, 0, 0, 1],
    // At 1 the first stage starts batch 1 before batch 0 enters the second.
    [1, 0, 1, 2],
    [0, 1, 1, 2],
    [1, 1, 2, 3],
    [2, 0, 2, 3],
    [2, 1, 3, 4],
  ]);
  assert.deepEqual([...outcomes.completedSeconds], [4, 3]);
  // Two arrivals and two route events, one ReplicaSchedule for both, 10 events a batch.
  assert.equal(eventCount, 2 + 2 + 1 + 3 * 10);
});

Deno.test("Simulator.advance() routes simultaneous arrivals one by one before any of them starts", () => {
  const simulator = new Simulator(makeWorkload([[1, 5, 1], [1, 5, 1], [1, 5, 1]]), [
    makeReplica(),
    makeReplica(),
  ]);
  for (const [waitingOn0, choice] of [[0, 0], [1, 1], [1, 0]] as const) {
    const decision = simulator.advance()!;
    assert.equal(decision.nowSeconds, 1);
    assert.equal(decision.view.waitingCount(0), waitingOn0);
    assert.equal(decision.view.inFlightBatchCount(0), 0);
    simulator.assign(choice);
  }
  assert.equal(simulator.advance(), undefined);
  assert.equal(simulator.result().batchCount, 2);
  assert.deepEqual([...simulator.result().outcomes.replica], [0, 1, 0]);
});

Deno.test("Simulator.view shows the load of a replica as it is", () => {
  const workload = makeWorkload([[0, 100, 50], [0.5, 30, 20], [2.5, 7, 1]]);
  const simulator = new Simulator(workload, [makeReplica({ batchSizeCap: 1 })]);
  simulator.advance();
  simulator.assign(0);
  const second = simulator.advance()!;
  assert.deepEqual(second.request, {
    index: 1,
    arrivalSeconds: 0.5,
    promptTokens: 30,
    processedTokens: 0,
    priority: 0,
  });
  assert.equal(second.view.pendingPrefillTokens(0), 100);
  assert.equal(second.view.tbtEmaSeconds(0), 0);
  simulator.assign(0);
  const { view } = simulator.advance()!;
  // At 2.5 the first request has its prompt and two output tokens; the second waits.
  assert.equal(view.arrivedCount, 3);
  assert.equal(view.completedCount, 0);
  assert.equal(view.waitingCount(0), 1);
  assert.equal(view.runningCount(0), 1);
  assert.equal(view.outstandingCount(0), 2);
  assert.equal(view.inFlightBatchCount(0), 1);
  assert.equal(view.parkedCount(0), 0);
  assert.equal(view.pendingPrefillTokens(0), 30);
  assert.equal(view.kvTokens(0), 102 + 30);
  assert.equal(view.kvBlocksUsed(0), 7);
  assert.equal(view.kvBlocksTotal(0), 1000);
  assert.equal(view.blockSize(0), 16);
  assert.equal(view.batchSizeCap(0), 1);
  assert.equal(view.stageCount(0), 1);
  assert.equal(view.tbtEmaSeconds(0), 1);
  assert.equal(view.restartCount(0), 0);
  assert.equal(view.waitingRequest(0, 0)!.index, 1);
  assert.equal(view.waitingRequest(0, 1), undefined);
  assert.equal(simulator.oracle.pendingOutputTokens(0), 48 + 20);
  assert.equal(simulator.oracle.outputTokens(2), 1);
  assert.throws(() => view.waitingCount(1), RangeError);
});

Deno.test("Simulator stops at the time limit and says what is unfinished", () => {
  const result = new Simulator(two, [makeReplica()], { timeLimitSeconds: 1.5 }).run(() => 0);
  assert.equal(result.endSeconds, 1.5);
  assert.equal(result.unfinishedCount, 2);
  assert.deepEqual([...result.outcomes.firstTokenSeconds], [1, NaN]);
  assert.deepEqual([...result.outcomes.completedSeconds], [NaN, NaN]);
});

Deno.test("Simulator.advance() and assign() refuse to be called out of turn", () => {
  const simulator = new Simulator(two, [makeReplica()]);
  assert.throws(() => simulator.assign(0), /Cannot assign: no request waits to be routed/);
  simulator.advance();
  assert.throws(() => simulator.advance(), /Cannot advance: the request of the last decision/);
  for (const replica of [-1, 1, 0.5, NaN]) {
    assert.throws(() => simulator.assign(replica), RangeError);
  }
  simulator.assign(0);
});

Deno.test("Simulator refuses impossible input, naming what is wrong", () => {
  const replica = makeReplica({ watermarkFraction: 0 }, { kvBlocks: 4, gpu: "a40" });
  const refused: [() => unknown, RegExp][] = [
    [() => new Simulator(two, []), /replicas must be non-empty/],
    [
      () => new Simulator(two, [replica], { timeLimitSeconds: NaN }),
      /timeLimitSeconds must be >= 0, current value is NaN/,
    ],
    [
      () => new Simulator(makeWorkload([[1, 1, 1], [0.5, 1, 1]]), [replica]),
      /workload\.arrivalSeconds\[1\] must be finite and >= 1, current value is 0\.5/,
    ],
    [
      () => new Simulator(makeWorkload([[-1, 1, 1]]), [replica]),
      /workload\.arrivalSeconds\[0\] must be finite and >= 0, current value is -1/,
    ],
    [
      () => new Simulator(makeWorkload([[Infinity, 1, 1]]), [replica]),
      /workload\.arrivalSeconds\[0\] must be finite/,
    ],
    [
      () => new Simulator(makeWorkload([[0, 0, 1]]), [replica]),
      /workload\.promptTokens\[0\] must be >= 1, current value is 0/,
    ],
    [
      () => new Simulator(makeWorkload([[0, 1, 0]]), [replica]),
      /workload\.outputTokens\[0\] must be >= 1, current value is 0/,
    ],
    [
      () => new Simulator({ ...two, count: 3 }, [replica]),
      /workload\.arrivalSeconds must have 3 rows, current value is 2/,
    ],
    // 4 blocks of 16 tokens, and the last token is never cached.
    [
      () => new Simulator(makeWorkload([[0, 1, 1], [0, 40, 26]]), [makeReplica(), replica]),
      /request 1 must have at most 65 tokens, .* 4 KV blocks of replica 1 \(a40, sarathi\).* is 66 \(40 prompt \+ 26 output\)/,
    ],
    [
      () =>
        new Simulator(two, [makeReplica({}, {
          timer: { modelSeconds: () => NaN, overheadSeconds: () => 0 },
        })]).run(() => 0),
      /timer of replica 0 must return finite seconds > 0, current value is NaN/,
    ],
  ];
  for (const [act, message] of refused) {
    assert.throws(act, (error) => {
      assert.ok(error instanceof RangeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("Simulator serves the longest request that a replica can hold", () => {
  const cases = [
    ["sarathi", 16, 65],
    ["vllm", 16, 65],
    ["vllm_v1", 16, 65],
    ["lightllm", 1, 3],
  ] as const;
  for (const [kind, blockSize, longest] of cases) {
    const replica = makeReplica({ kind, blockSize, watermarkFraction: 0 }, { kvBlocks: 4 });
    for (const prompt of [1, longest - 1]) {
      const workload = makeWorkload([[0, prompt, longest - prompt]]);
      assert.equal(new Simulator(workload, [replica]).run(() => 0).unfinishedCount, 0);
    }
    const tooLong = makeWorkload([[0, 1, longest]]);
    assert.throws(() => new Simulator(tooLong, [replica]), RangeError);
  }
});
