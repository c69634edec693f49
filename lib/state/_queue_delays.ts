/** How long requests have waited, as a later revision of the original code describes it. */
import type { RoutingDecision } from "../simulator/mod.ts";

/** Names of the columns. */
export const QUEUE_DELAY_NAMES = ["oldest_wait", "average_wait", "wait_urgency"] as const;

/** Waits up to this are scaled linearly. */
const SHORT_WAIT_SECONDS = 0.1;

/** A wait of this doubles a request's priority, at most to three times. */
const URGENCY_SECONDS = 5;

/** Mean urgency that reads as 1. */
const MOST_URGENT = 10;

/**
 * Writes the three columns of a replica; zeros for an empty queue. With w a wait in seconds and W the
 * longest that counts, short(w) = 10 w up to 0.1 s, and beyond that
 *
 * ```text
 * oldest_wait  = min(ln(1 + w) / ln(1 + W), 1)                  of the head of the queue
 * average_wait = min(sqrt(w / W), 1)                            of the mean wait
 * wait_urgency = min(mean(priority (1 + min(w / 5, 2))) / 10, 1)
 * ```
 *
 * Every waiting request is looked at, which takes a while where queues are long. The jump at 0.1 s is
 * the original's. Source: spec/scheduler.md section 5.1, features 12 to 14.
 *
 * @returns The position after the last column.
 */
export function writeQueueDelays(
  { nowSeconds, view }: RoutingDecision,
  replica: number,
  { maxWaitSeconds, out, start }: {
    readonly maxWaitSeconds: number;
    readonly out: Float32Array;
    readonly start: number;
  },
): number {
  const count = view.waitingCount(replica);
  let oldestSeconds = 0;
  let sumSeconds = 0;
  let urgency = 0;
  for (let k = 0; k < count; k++) {
    const { arrivalSeconds, priority } = view.waitingRequest(replica, k)!;
    const waitSeconds = Math.max(0, nowSeconds - arrivalSeconds);
    if (k === 0) oldestSeconds = waitSeconds;
    sumSeconds += waitSeconds;
    urgency += priority * (1 + Math.min(waitSeconds / URGENCY_SECONDS, 2));
  }
  const averageSeconds = sumSeconds / Math.max(count, 1);
  let at = start;
  out[at++] = scaleWait(oldestSeconds, (w) => Math.log1p(w) / Math.log1p(maxWaitSeconds));
  out[at++] = scaleWait(averageSeconds, (w) => Math.sqrt(w / maxWaitSeconds));
  out[at++] = Math.min(urgency / Math.max(count, 1) / MOST_URGENT, 1);
  return at;
}

function scaleWait(waitSeconds: number, long: (waitSeconds: number) => number): number {
  return waitSeconds <= SHORT_WAIT_SECONDS ? 10 * waitSeconds : Math.min(long(waitSeconds), 1);
}
