import assert from "node:assert/strict";
import { RequestLedger } from "../../lib/reward/mod.ts";
import type { BatchRecord } from "../../lib/simulator/mod.ts";
import { assertAllClose } from "../_helpers.ts";

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
  const ledger = new RequestLedger({ externalityWeight: 2 });
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
  const ledger = new RequestLedger({ externalityWeight: 1 });
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
  const ledger = new RequestLedger({ externalityWeight: 1 });
  ledger.reset([0, 0]);
  ledger.onRouted(0, 0, 0);
  ledger.onRouted(1, 1, 0);
  ledger.onBatchStageEnd(execution(0, 1, { 0: 1 }));
  ledger.onBatchStageEnd(execution(1, 5, { 0: 1 }));
  ledger.onCompleted(0, 0, 5);
  assert.equal(ledger.takeCredits()[0]!.externalitySeconds, 0);
});

Deno.test("RequestLedger goes on with the account of a request that lost its replica", () => {
  const ledger = new RequestLedger({ externalityWeight: 1 });
  ledger.reset([0, 0]);
  ledger.onRouted(0, 0, 0);
  ledger.onRouted(1, 0, 0);
  ledger.onRequeued(1, 0, 2);
  // Alone on replica 0, request 0 delays nobody, however long its executions.
  ledger.onBatchStageEnd(execution(2, 3, { 0: 1 }));
  ledger.onBatchStageEnd(execution(3, 9, { 0: 1 }));
  ledger.onRouted(1, 1, 9);
  ledger.onCompleted(1, 1, 10);
  assert.deepEqual(ledger.takeCredits(), [
    { request: 1, reward: -10, latencySeconds: 10, externalitySeconds: 0 },
  ]);
  ledger.closeAll(12);
  assert.deepEqual(ledger.takeCredits(), [
    { request: 0, reward: -12, latencySeconds: 12, externalitySeconds: 0 },
  ]);
  ledger.closeAll(13);
  assert.deepEqual(ledger.takeCredits(), []);
});
