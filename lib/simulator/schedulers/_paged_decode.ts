/**
 * KV accounting that the paged schedulers share.
 *
 * @module
 */
import type { ReplicaState } from "../replica_state.ts";

/** Whole blocks that `tokens` tokens fill. */
export function blocksFor(tokens: number, blockSize: number): number {
  return Math.ceil(tokens / blockSize);
}

/**
 * Finds room for one more token of `request`, preempting the last of `parked[head .. tail - 1]`
 * again and again while the replica has no free block, and `request` itself when none is left.
 *
 * Vidur asks for a free block whether or not the token needs one, and charges the block of a token
 * one iteration after it was produced (spec/simulator.md section 4.1).
 *
 * @returns The new `tail`, or -1 when `request` itself was preempted.
 */
export function makeRoom(
  replica: ReplicaState,
  request: number,
  head: number,
  tail: number,
): number {
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
