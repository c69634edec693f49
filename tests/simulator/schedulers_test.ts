/** Batches of each scheduler, followed by hand; an iteration takes one second. */
import assert from "node:assert/strict";
import { type ReplicaSpec, type SchedulerConfig, Simulator } from "../../lib/simulator/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";
import { makeReplica, makeWorkload } from "./_fixtures.ts";

/** Runs one replica; returns its batches as "request:tokens ..." and the simulator. */
function trace(
  workload: Workload,
  scheduler: Partial<SchedulerConfig>,
  spec: Partial<ReplicaSpec> = {},
): { batches: string[]; simulator: Simulator } {
  const batches: string[] = [];
  const simulator = new Simulator(workload, [makeReplica(scheduler, spec)], {
    observers: [{
      onBatchStageEnd: ({ requestCount, requests, tokens }) => {
        const rows = Array.from({ length: requestCount }, (_, i) => `${requests[i]}:${tokens[i]}`);
        batches.push(rows.join(" "));
      },
    }],
  });
  simulator.run(() => 0);
  return { batches, simulator };
}

const three = makeWorkload([[0, 10, 3], [0.5, 6, 2], [0.5, 5, 1]]);

Deno.test("sarathi decodes first, then continues prompts, then starts new ones, up to the budget", () => {
  assert.deepEqual(trace(three, { kind: "sarathi", chunkTokens: 8 }).batches, [
    "0:8",
    "0:2 1:6",
    "0:1 1:1 2:5",
    "0:1",
  ]);
});

Deno.test("vllm computes whole prompts while any can be admitted, and decodes otherwise", () => {
  assert.deepEqual(trace(three, { kind: "vllm" }).batches, ["0:10", "1:6 2:5", "0:1 1:1", "0:1"]);
});

Deno.test("vllm limits a batch of prompts by its tokens, in Vidur by its padded size", () => {
  const scheduler = { kind: "vllm", maxTokensInBatch: 11 } as const;
  assert.deepEqual(trace(three, scheduler).batches, ["0:10", "1:6 2:5", "0:1 1:1", "0:1"]);
  assert.deepEqual(
    trace(three, { ...scheduler, maxTokensInBatch: 10 }).batches,
    ["0:10", "1:6", "2:5", "0:1 1:1", "0:1"],
  );
  assert.deepEqual(
    trace(three, scheduler, { compat: "vidur" }).batches,
    ["0:10", "1:6", "2:5", "0:1 1:1", "0:1"],
  );
});

Deno.test("vllm and lightllm admit a prompt over the limit alone, where Vidur waits for ever", () => {
  for (const [kind, blockSize] of [["vllm", 16], ["lightllm", 1]] as const) {
    const scheduler = { kind, blockSize, maxTokensInBatch: 9 };
    const sane = trace(three, scheduler);
    assert.equal(sane.batches[0], "0:10");
    assert.equal(sane.simulator.result().unfinishedCount, 0);
    const { batches, simulator } = trace(three, scheduler, { compat: "vidur" });
    assert.deepEqual(batches, []);
    assert.equal(simulator.result().unfinishedCount, 3);
  }
});

Deno.test("vllm_v1 spends one budget on running requests in order of admission", () => {
  assert.deepEqual(trace(three, { kind: "vllm_v1", chunkTokens: 8 }).batches, [
    "0:8",
    "0:2 1:6",
    "0:1 1:1 2:5",
    "0:1",
  ]);
  // With a budget of 4 a prompt under way keeps later requests out.
  assert.deepEqual(trace(three, { kind: "vllm_v1", chunkTokens: 4 }).batches, [
    "0:4",
    "0:4",
    "0:2 1:2",
    "0:1 1:3",
    "0:1 1:1 2:2",
    "1:1 2:3",
  ]);
});

Deno.test("vllm_v1 takes blocks chunk by chunk and preempts the request admitted last", () => {
  // Blocks of 4 tokens, 4 of them. Both prompts take 2; at the third token of request 0 (9 cached)
  // none is left: request 1 is preempted, and not admitted again in that iteration. It waits for 3
  // blocks and computes its 7 prompt and 2 output tokens again.
  const workload = makeWorkload([[0, 7, 4], [0, 7, 4]]);
  const { batches, simulator } = trace(
    workload,
    { kind: "vllm_v1", blockSize: 4, chunkTokens: 64, prefixCaching: false },
    { kvBlocks: 4 },
  );
  assert.deepEqual(batches, ["0:7 1:7", "0:1 1:1", "0:1", "0:1", "1:9", "1:1"]);
  assert.deepEqual([...simulator.result().outcomes.restarts], [0, 1]);
});

Deno.test("vllm_v1 with prefix caching recomputes only what others have overwritten", () => {
  // As above. Request 1 is preempted with 8 tokens cached in 2 blocks, the second of which request 0
  // takes: 4 tokens are found again.
  const scheduler = { kind: "vllm_v1", blockSize: 4, chunkTokens: 64 } as const;
  const two = makeWorkload([[0, 7, 4], [0, 7, 4]]);
  const { batches, simulator } = trace(two, scheduler, { kvBlocks: 4 });
  assert.deepEqual(batches, ["0:7 1:7", "0:1 1:1", "0:1", "0:1", "1:5", "1:1"]);
  assert.equal(simulator.view.kvBlocksUsed(0), 0);
  assert.equal(simulator.view.kvTokens(0), 0);
  assert.equal(simulator.view.pendingPrefillTokens(0), 0);
});

Deno.test("vllm_v1 with prefix caching starts a preempted request behind what it finds", () => {
  // Blocks of 4 tokens, 5 of them; 3 and 2 are taken. At 1 request 0 needs a fourth: request 1 is
  // preempted with 8 of its 9 tokens in full blocks, the last of which is taken. Request 2, behind
  // it in the queue, finds nothing.
  const workload = makeWorkload([[0, 12, 2], [0, 8, 2], [0.5, 8, 1]]);
  const scheduler = { kind: "vllm_v1", blockSize: 4, chunkTokens: 64 } as const;
  const { batches } = trace(workload, scheduler, { kvBlocks: 5 });
  assert.deepEqual(batches, ["0:12 1:8", "0:1", "1:5 2:8"]);
});

Deno.test("vllm_v1 forgets cached blocks when the replica fails", () => {
  // Blocks of 4 tokens, 6 of them. At 3 request 1 has 9 tokens, finds no block for them and is
  // preempted with two full blocks. Being urgent it is the first after the failure, and computes all.
  const workload = {
    ...makeWorkload([[0, 11, 6], [0.5, 7, 4]]),
    priority: Int32Array.of(0, 1),
  };
  const replica = makeReplica({ kind: "vllm_v1", blockSize: 4, chunkTokens: 64 }, { kvBlocks: 6 });
  const prefills: number[] = [];
  const simulator = new Simulator(workload, [replica], {
    incidents: [
      { kind: "fail", replica: 0, atSeconds: 3.5 },
      { kind: "recover", replica: 0, atSeconds: 4 },
    ],
    observers: [{ onBatchStageEnd: ({ prefillTokens }) => prefills.push(prefillTokens) }],
  });
  simulator.run(() => 0);
  assert.deepEqual(prefills.slice(0, 4), [11, 7, 0, 9]);
});

Deno.test("vllm_v1 reserves the whole prompt at admission, unless it should not", () => {
  // Blocks of 4 tokens, 4 of them; chunks of 8. Request 1 needs 3 blocks in all and 2 at first, and
  // 2 are free at first.
  const workload = makeWorkload([[0, 4, 3], [0, 12, 1]]);
  const scheduler = { kind: "vllm_v1", blockSize: 4, chunkTokens: 8 } as const;
  const reserved = trace(workload, scheduler, { kvBlocks: 3 });
  assert.deepEqual(reserved.batches, ["0:4", "0:1", "0:1", "1:8", "1:4"]);
  assert.deepEqual([...reserved.simulator.result().outcomes.restarts], [0, 0]);
  const greedy = trace(workload, { ...scheduler, reserveWholePrompt: false }, { kvBlocks: 3 });
  assert.equal(greedy.batches[0], "0:4 1:4");
  assert.deepEqual([...greedy.simulator.result().outcomes.restarts], [0, 1]);
});

Deno.test("orca mixes whole prompts with decodes and reserves the longest sequence", () => {
  const scheduler = { kind: "orca", maxTokensPerRequest: 64 } as const;
  assert.deepEqual(trace(three, scheduler).batches, ["0:10", "0:1 1:6 2:5", "0:1 1:1"]);
  // Four blocks are one reservation: one request at a time.
  assert.deepEqual(trace(three, scheduler, { kvBlocks: 4 }).batches, [
    "0:10",
    "0:1",
    "0:1",
    "1:6",
    "1:1",
    "2:5",
  ]);
});

Deno.test("orca and faster_transformer reserve a last block that is not full, but do not in Vidur", () => {
  // 100 tokens in blocks of 64: two blocks, of which three hold one reservation, or three of Vidur's.
  const workload = makeWorkload([[0, 50, 2], [0, 50, 2], [0, 50, 2]]);
  for (const kind of ["orca", "faster_transformer"] as const) {
    const scheduler = { kind, blockSize: 64, maxTokensPerRequest: 100 };
    assert.equal(trace(workload, scheduler, { kvBlocks: 3 }).batches[0], "0:50");
    assert.equal(
      trace(workload, scheduler, { kvBlocks: 3, compat: "vidur" }).batches[0],
      "0:50 1:50 2:50",
    );
    assert.throws(
      () => trace(workload, scheduler, { kvBlocks: 1 }),
      /request 0 must have at most 0 tokens/,
    );
  }
});

Deno.test("faster_transformer keeps a group together and frees it when the last is complete", () => {
  const scheduler = { kind: "faster_transformer", maxTokensPerRequest: 64 } as const;
  const { batches, simulator } = trace(three, scheduler, { kvBlocks: 8 });
  assert.deepEqual(batches, ["0:10", "0:1", "0:1", "1:6 2:5", "1:1"]);
  assert.equal(simulator.view.kvBlocksUsed(0), 0);
});

Deno.test("faster_transformer leaks the blocks of early finishers when it has to be Vidur's", () => {
  const scheduler = { kind: "faster_transformer", maxTokensPerRequest: 64 } as const;
  const { batches, simulator } = trace(three, scheduler, { kvBlocks: 8, compat: "vidur" });
  assert.deepEqual(batches, ["0:10", "0:1", "0:1", "1:6 2:5", "1:1"]);
  assert.equal(simulator.view.kvBlocksUsed(0), 4);
  assert.equal(simulator.view.runningCount(0), 1);
});

Deno.test("lightllm admits prompts only every so many decode iterations", () => {
  const scheduler = { kind: "lightllm", blockSize: 1, maxWaitingIterations: 2 } as const;
  const workload = makeWorkload([[0, 10, 4], [0.5, 6, 2]]);
  assert.deepEqual(trace(workload, scheduler).batches, ["0:10", "0:1", "0:1", "1:6", "0:1 1:1"]);
});

Deno.test("lightllm admits only what fits at the peak of KV use", () => {
  // Together the two would peak at (4 - 2) x 2 + 11 + 11 = 26 tokens.
  const workload = makeWorkload([[0, 10, 4], [0, 10, 4]]);
  const scheduler = { kind: "lightllm", blockSize: 1, maxWaitingIterations: 0 } as const;
  assert.equal(trace(workload, scheduler, { kvBlocks: 27 }).batches[0], "0:10 1:10");
  assert.equal(trace(workload, scheduler, { kvBlocks: 26 }).batches[0], "0:10");
});

Deno.test("A preempted decode recomputes its output too, in one prompt", () => {
  // Blocks of 4 tokens, 5 of them: at 2 both requests have 9 tokens and 2 blocks each; request 0
  // takes the last block, request 1 finds none and is preempted with 9 tokens to recompute. It needs
  // 3 blocks, and waits until request 0 is complete at 4.
  const workload = makeWorkload([[0, 8, 4], [0, 8, 4]]);
  const { batches, simulator } = trace(
    workload,
    { kind: "sarathi", blockSize: 4, watermarkFraction: 0 },
    { kvBlocks: 5 },
  );
  assert.deepEqual(batches, ["0:8 1:8", "0:1", "0:1", "0:1", "1:9", "1:1", "1:1"]);
  const { outcomes } = simulator.result();
  assert.deepEqual([...outcomes.restarts], [0, 1]);
  assert.deepEqual([...outcomes.firstTokenSeconds], [1, 1]);
  assert.deepEqual([...outcomes.completedSeconds], [4, 7]);
});

Deno.test("A decode that needs no KV block preempts nobody, but does in Vidur", () => {
  // Blocks of 4 tokens, 4 of them, all taken by two prompts of 6 tokens, which have room for two
  // tokens more each.
  const workload = makeWorkload([[0, 6, 3], [0, 6, 3]]);
  for (const kind of ["sarathi", "vllm"] as const) {
    const scheduler = { kind, blockSize: 4, watermarkFraction: 0 } as const;
    const { batches, simulator } = trace(workload, scheduler, { kvBlocks: 4 });
    assert.deepEqual(batches, ["0:6 1:6", "0:1 1:1", "0:1 1:1"]);
    assert.deepEqual([...simulator.result().outcomes.restarts], [0, 0]);
    const vidur = trace(workload, scheduler, { kvBlocks: 4, compat: "vidur" }).simulator;
    assert.ok(vidur.result().outcomes.restarts[1]! > 0);
  }
});

Deno.test("A preempted partial prompt stays a prompt, and turns into output only in Vidur", () => {
  // Blocks of 4 tokens, 6 of them, all taken from 1 on, when request 1 begins its prompt beside
  // request 0. At 5 request 0 needs a third: request 1, of whose 16 prompt tokens 12 are computed, is
  // preempted. In Vidur that happens at 2 already.
  const workload = makeWorkload([[0, 4, 8], [0, 16, 2]]);
  const scheduler = {
    kind: "sarathi",
    blockSize: 4,
    chunkTokens: 4,
    watermarkFraction: 0,
  } as const;
  const sane = trace(workload, scheduler, { kvBlocks: 6 }).simulator;
  assert.equal(sane.result().outcomes.restarts[1], 1);
  assert.equal(sane.promptTokensAfterRestarts()[1], 16);
  const vidur = trace(workload, scheduler, { kvBlocks: 6, compat: "vidur" }).simulator;
  assert.ok(vidur.promptTokensAfterRestarts()[1]! < 16);
  const firstToken = (simulator: Simulator) => simulator.result().outcomes.firstTokenSeconds[1]!;
  assert.ok(firstToken(vidur) < firstToken(sane));
});

Deno.test("Requests of higher priority are admitted first", () => {
  const workload = { ...three, priority: Int32Array.of(0, 0, 5) };
  for (const kind of ["sarathi", "vllm", "vllm_v1"] as const) {
    const { batches } = trace(workload, { kind, batchSizeCap: 1 });
    assert.deepEqual(batches, ["0:10", "0:1", "0:1", "2:5", "1:6", "1:1"]);
  }
});
