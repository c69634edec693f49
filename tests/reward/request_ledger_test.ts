import assert from "node:assert/strict";
import { RequestLedger, type RequestWeights, rewardSchema } from "../../lib/reward/mod.ts";
import type { BatchRecord } from "../../lib/simulator/mod.ts";
import { assertAllClose } from "../_helpers.ts";

/** A ledger with some weights other than the defaults. */
function ledgerOf(weights: Partial<RequestWeights>): RequestLedger {
  return new RequestLedger(rewardSchema.parse(weights));
}

/** A stage execution on replica 0 that ends at `endSeconds`. */
function execution(
  startSeconds: number,
  endSeconds: number,
  tokens: Readonly<Record<number, number>>,
): BatchRecord {
  const requests = Object.keys(tokens).map(Number);
  return {
    batchIndex: 0,
    replica: 0,
    stage: 0,
    formedSeconds: startSeconds,
    startSeconds,
    endSeconds,
    requestCount: requests.length,
    requests,
    tokens: Object.values(tokens),
    prefillTokens: 0,
    kvBlocksUsed: 0,
    shape: {
      requestCount: requests.length,
      totalTokens: Object.values(tokens).reduce((a, b) => a + b, 0),
      decodeCount: requests.length,
      decodeContextTokens: 0,
      maxDecodeContextTokens: 0,
      prefillCount: 0,
      prefillContextTokens: [],
      prefillChunkTokens: [],
    },
  };
}

Deno.test("RequestLedger charges a request for the time its tokens cost the others", () => {
  const ledger = ledgerOf({ externalityWeight: 2 });
  ledger.reset([0, 0, 0]);
  for (const request of [0, 1, 2]) ledger.onRouted(request, 0, 0);
  // The first execution sets the fixed duration: 1 s. The second lasts 3 s: 2 s for 10 tokens,
  // which two others wait for: 0.4 s a token.
  ledger.onBatchStageEnd(execution(0, 1, { 0: 1, 1: 1 }));
  ledger.onBatchStageEnd(execution(1, 4, { 0: 1, 1: 9 }));
  ledger.onCompleted(1, 0, 4);
  ledger.onCompleted(0, 0, 4);
  const [second, first] = ledger.takeCredits();
  assert.deepEqual([second!.request, first!.request], [1, 0]);
  assertAllClose([second!.externalitySeconds, first!.externalitySeconds], [3.6, 0.4], {
    rtol: 1e-15,
  });
  assertAllClose([second!.reward, first!.reward], [-(4 + 2 * 3.6), -(4 + 2 * 0.4)], {
    rtol: 1e-15,
  });
});

Deno.test("RequestLedger hands out each account once and forgets on reset()", () => {
  const ledger = ledgerOf({ externalityWeight: 1 });
  ledger.reset([0, 1]);
  ledger.onRouted(0, 0, 0);
  ledger.onCompleted(0, 0, 2);
  assert.equal(ledger.takeCredits().length, 1);
  assert.deepEqual(ledger.takeCredits(), []);
  ledger.onRouted(1, 0, 2);
  ledger.onBatchStageEnd(execution(2, 3, { 1: 5 }));
  ledger.onCompleted(1, 0, 3);
  ledger.reset([0]);
  assert.deepEqual(ledger.takeCredits(), []);
});

Deno.test("RequestLedger lets requests on other replicas alone", () => {
  const ledger = ledgerOf({ externalityWeight: 1 });
  ledger.reset([0, 0]);
  ledger.onRouted(0, 0, 0);
  ledger.onRouted(1, 1, 0);
  ledger.onBatchStageEnd(execution(0, 1, { 0: 1 }));
  ledger.onBatchStageEnd(execution(1, 5, { 0: 1 }));
  ledger.onCompleted(0, 0, 5);
  assert.equal(ledger.takeCredits()[0]!.externalitySeconds, 0);
});

Deno.test("RequestLedger goes on with the account of a request that lost its replica", () => {
  const ledger = ledgerOf({ externalityWeight: 1 });
  ledger.reset([0, 0]);
  ledger.onRouted(0, 0, 0);
  ledger.onRouted(1, 0, 0);
  ledger.onRequeued(1, 0, 2);
  // Alone on replica 0, request 0 delays nobody, however long its executions.
  ledger.onBatchStageEnd(execution(2, 3, { 0: 1 }));
  ledger.onBatchStageEnd(execution(3, 9, { 0: 1 }));
  ledger.onRouted(1, 1, 9);
  ledger.onCompleted(1, 1, 10);
  const first = { latencySeconds: 10, ttftSeconds: 10, jobSeconds: 2 * 2 + 1 };
  const rest = { externalitySeconds: 0, ttftExternalitySeconds: 0 };
  assert.deepEqual(ledger.takeCredits(), [{ request: 1, reward: -10, ...rest, ...first }]);
  ledger.closeAll(12);
  const second = { latencySeconds: 12, ttftSeconds: 12, jobSeconds: 2 * 2 + 10 };
  assert.deepEqual(ledger.takeCredits(), [{ request: 0, reward: -12, ...rest, ...second }]);
  ledger.closeAll(13);
  assert.deepEqual(ledger.takeCredits(), []);
});

/** Three requests on replica 0; what each caused and met is worked out in the test below. */
function playThree(weights: Partial<RequestWeights>): RequestLedger {
  const ledger = ledgerOf(weights);
  ledger.reset([0, 0, 2]);
  ledger.onRouted(0, 0, 0);
  ledger.onRouted(1, 0, 0);
  ledger.onBatchStageEnd(execution(0, 1, { 0: 4 })); // sets the fixed duration
  ledger.onFirstToken(0, 0, 1);
  ledger.onRouted(2, 0, 2);
  ledger.onBatchStageEnd(execution(1, 4, { 0: 1, 1: 3 })); // 2 s beyond it
  ledger.onFirstToken(1, 0, 4);
  ledger.onBatchStageEnd(execution(4, 9, { 0: 1, 1: 1, 2: 6 })); // 4 s beyond it
  ledger.onFirstToken(2, 0, 9);
  for (const request of [0, 1, 2]) ledger.onCompleted(request, 0, 9);
  return ledger;
}

Deno.test("RequestLedger tells own first tokens, delays of others' and the company that a request had", () => {
  const credits = playThree({}).takeCredits();
  // First tokens at 1, 4 and 9 s; arrivals at 0, 0 and 2 s.
  assert.deepEqual(credits.map(({ ttftSeconds }) => ttftSeconds), [1, 4, 7]);
  // Second execution: 2 s, of which 1/4 is 0's doing and 3/4 are 1's. 0 holds up the first tokens of
  // 1 and 2, 1 that of 2. Third: 4 s, an eighth each by 0 and 1, which hold up 2; 2 holds up nobody.
  assert.deepEqual(
    credits.map(({ ttftExternalitySeconds }) => ttftExternalitySeconds),
    [2 * 2 / 4 + 4 / 8, 2 * 3 / 4 + 4 / 8, 0],
  );
  // Two requests for 2 s, three for 7 s; request 2 saw the latter only.
  assert.deepEqual(credits.map(({ jobSeconds }) => jobSeconds), [25, 25, 21]);
});

Deno.test("RequestLedger weighs TTFT, the delay of others' first tokens and occupancy as configured", () => {
  const rewards = (weights: Partial<RequestWeights>): number[] =>
    playThree({ externalityWeight: 0, ...weights }).takeCredits().map(({ reward }) => reward);
  assert.deepEqual(rewards({}), [-9, -9, -7]);
  assert.deepEqual(rewards({ occupancyWeight: 2 }), [-9 - 50, -9 - 50, -7 - 42]);
  assert.deepEqual(
    rewards({ ttftWeight: 2 }),
    [-9 - 2 * (1 + 1.5), -9 - 2 * (4 + 2), -7 - 2 * 7],
  );
  assert.deepEqual(
    rewards({ ttftWeight: 2, ttftExternalityWeight: 0 }),
    [-9 - 2, -9 - 8, -7 - 14],
  );
  // Latency externality: 2 s x 2 others / 4 tokens, then 4 s x 2 others / 8 tokens.
  assert.deepEqual(rewards({ externalityWeight: 1 }), [-9 - 2, -9 - 4, -7 - 6]);
});

Deno.test("RequestLedger keeps the first token of a request that lost its replica", () => {
  const ledger = ledgerOf({ ttftWeight: 1 });
  ledger.reset([0, 0]);
  ledger.onRouted(0, 0, 0);
  ledger.onFirstToken(0, 0, 1);
  ledger.onRequeued(0, 0, 2);
  ledger.onRouted(0, 1, 3);
  ledger.onRouted(1, 1, 3);
  ledger.onBatchStageEnd({ ...execution(3, 4, { 1: 1 }), replica: 1 });
  ledger.onBatchStageEnd({ ...execution(4, 7, { 1: 1 }), replica: 1 });
  ledger.onCompleted(0, 1, 8);
  ledger.onFirstToken(1, 1, 9);
  ledger.onCompleted(1, 1, 9);
  const [first, second] = ledger.takeCredits();
  assert.deepEqual([first!.ttftSeconds, first!.jobSeconds], [1, 2 + 2 * 5]);
  // Request 0 has its first token, so that 1 holds up nobody's; its latency it does.
  assert.deepEqual([second!.ttftExternalitySeconds, second!.externalitySeconds], [0, 2]);
});
