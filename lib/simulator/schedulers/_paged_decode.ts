/**
 * Decoding over paged KV blocks, as the paged schedulers share it.
 *
 * @module
 */
import type { Batch } from "../batch.ts";
import type { ReplicaState } from "../replica_state.ts";
import { KV_BLOCKS, PROCESSED, PROMPT, ROW_SHIFT } from "../request_table.ts";

/** Whole blocks that `tokens` tokens fill. */
export function blocksFor(tokens: number, blockSize: number): number {
  return Math.ceil(tokens / blockSize);
}

/**
 * Moves parked requests from the front into an empty batch, one token each, until it holds `limit`.
 * Requests whose prompt is not complete are moved to `begun` instead.
 *
 * A token's KV is written, and its block taken, in the iteration after the one that sampled it. A
 * request that needs a block and finds none makes room by preempting parked ones from the back,
 * itself when none is left. In Vidur it does so even where the block it has would do
 * (spec/simulator.md sections 4.1 and 4.2).
 */
export function addDecodes(
  replica: ReplicaState,
  batch: Batch,
  limit: number,
  begun: number[],
): void {
  const { parked } = replica;
  const { tokens } = replica.requests;
  const { kvBlocks: totalBlocks, scheduler: { blockSize }, compat } = replica.spec;
  const asksAlways = compat === "vidur";
  const rows = batch.roomForDecodes(Math.min(replica.parkedCount, limit));
  if (replica.parkedCount <= limit && replica.parkedCount <= replica.freeKvBlocks) {
    addAllDecodes(replica, batch, begun);
    return;
  }
  let head = 0;
  let tail = replica.parkedCount;
  let count = 0;
  let contextTokens = 0;
  let maxContextTokens = 0;
  while (head < tail && count < limit) {
    const request = parked[head++]!;
    const row = request << ROW_SHIFT;
    const processed = tokens[row + PROCESSED]!;
    if (processed <= tokens[row + PROMPT]!) {
      begun.push(request);
      continue;
    }
    const needsBlock = processed > tokens[row + KV_BLOCKS]! * blockSize;
    if (replica.kvBlocksUsed >= totalBlocks && (needsBlock || asksAlways)) {
      tail = makeRoom(replica, request, head, tail);
      if (tail < head) {
        tail = head;
        continue;
      }
    }
    if (needsBlock) replica.extend(request, 1);
    rows[count++] = request;
    contextTokens += processed;
    if (processed > maxContextTokens) maxContextTokens = processed;
  }
  batch.setDecodes(count, contextTokens, maxContextTokens);
  parked.copyWithin(0, head, tail);
  replica.parkedCount = tail - head;
}

/** {@linkcode addDecodes} when all fit and nobody has to make room, which is nearly always. */
function addAllDecodes(replica: ReplicaState, batch: Batch, begun: number[]): void {
  const { parked, parkedCount } = replica;
  const { tokens } = replica.requests;
  const { blockSize } = replica.spec.scheduler;
  const rows = batch.requests;
  let count = 0;
  let extended = 0;
  let contextTokens = 0;
  let maxContextTokens = 0;
  for (let i = 0; i < parkedCount; i++) {
    const request = parked[i]!;
    const row = request << ROW_SHIFT;
    const processed = tokens[row + PROCESSED]!;
    if (processed <= tokens[row + PROMPT]!) {
      begun.push(request);
      continue;
    }
    const blocks = tokens[row + KV_BLOCKS]!;
    if (processed > blocks * blockSize) {
      tokens[row + KV_BLOCKS] = blocks + 1;
      extended++;
    }
    rows[count++] = request;
    contextTokens += processed;
    if (processed > maxContextTokens) maxContextTokens = processed;
  }
  batch.setDecodes(count, contextTokens, maxContextTokens);
  replica.kvBlocksUsed += extended;
  replica.parkedCount = 0;
}

/** Frees a block for `request`; returns the new end of the parked list, -1 if itself was preempted. */
function makeRoom(replica: ReplicaState, request: number, head: number, tail: number): number {
  let end = tail;
  while (replica.freeKvBlocks < 1) {
    if (end === head) {
      replica.restart(request);
      return -1;
    }
    replica.restart(replica.parked[--end]!);
  }
  return end;
}

/** Stable insertion sort of the parked requests by arrival; they are nearly in order already. */
export function sortParkedByArrival(replica: ReplicaState): void {
  const { parked, parkedCount } = replica;
  const { arrivalSeconds } = replica.requests;
  for (let i = 1; i < parkedCount; i++) {
    const request = parked[i]!;
    const arrival = arrivalSeconds[request]!;
    let j = i - 1;
    while (j >= 0 && arrivalSeconds[parked[j]!]! > arrival) {
      parked[j + 1] = parked[j]!;
      j--;
    }
    parked[j + 1] = request;
  }
}
