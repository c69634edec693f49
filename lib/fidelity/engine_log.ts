/**
 * What a serving engine logs of every request.
 *
 * @module
 */
import { z } from "zod";
import { readJsonLines, TraceError } from "../support/mod.ts";
import type { Workload } from "../workload/mod.ts";
import { parseLogged } from "./_parse_logged.ts";

/** Latencies of each request in seconds, `[count]`. */
export interface RequestLatencies {
  /** Arrival to first token. */
  readonly ttft: Float64Array;
  /** Time per output token after the first; `NaN` where there is only one. */
  readonly tpot: Float64Array;
  /** Arrival to last token. */
  readonly e2e: Float64Array;
}

/** Requests and what an engine took for them. */
export interface EngineLog {
  /** Requests in order of arrival; the first arrives at 0. */
  readonly workload: Workload;
  /** What the engine took. */
  readonly measured: RequestLatencies;
}

const seconds = z.number();
const tokens = z.int().min(1);

const requestSchema = z.object({
  input_toks: tokens,
  output_toks: tokens,
  arrival_time: seconds.optional(),
  queued_ts: seconds,
  scheduled_ts: seconds.optional(),
  first_token_ts: seconds,
  last_token_ts: seconds,
});

type LoggedRequest = z.infer<typeof requestSchema>;

/**
 * Reads `requests.jsonl`, a line a request: `input_toks`, `output_toks`, and time stamps in seconds,
 * `queued_ts`, `first_token_ts`, `last_token_ts` and, where logged, `scheduled_ts` of one monotonic
 * clock, and `arrival_time` of any clock.
 *
 * A request arrives at its `arrival_time`, if all have one: `queued_ts` is later, as an engine takes
 * new requests between iterations. The clock of `arrival_time` is set so that the request that was
 * queued soonest after its arrival was queued at once.
 *
 * @throws {TraceError} When the file cannot be read, or a line lacks a column, has a value that is
 *   not allowed, or has times that decrease; it names the line.
 *
 * @example
 * ```ts
 * import { readEngineLog } from "@signalbox/signalbox/fidelity";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile();
 * const request = { input_toks: 9, output_toks: 3, queued_ts: 5, first_token_ts: 6, last_token_ts: 8 };
 * await Deno.writeTextFile(path, JSON.stringify(request));
 * const { measured } = await readEngineLog(path);
 * assert.deepEqual([measured.ttft[0], measured.tpot[0], measured.e2e[0]], [1, 1, 3]);
 * await Deno.remove(path);
 * ```
 */
export async function readEngineLog(path: string): Promise<EngineLog> {
  const requests: LoggedRequest[] = [];
  for await (const { line, value } of readJsonLines(path)) {
    const request = parseLogged(requestSchema, value, path, line);
    checkTimes(request, path, line);
    requests.push(request);
  }
  if (requests.length === 0) throw new TraceError(path, 0, "there must be at least one request");
  const arrivalOf = arrivalClock(requests);
  requests.sort((a, b) => arrivalOf(a) - arrivalOf(b));
  const start = arrivalOf(requests[0]!);
  const column = (of: (request: LoggedRequest) => number): Float64Array =>
    Float64Array.from(requests, of);
  return {
    workload: {
      name: path,
      count: requests.length,
      arrivalSeconds: column((request) => arrivalOf(request) - start),
      promptTokens: Int32Array.from(requests, (request) => request.input_toks),
      outputTokens: Int32Array.from(requests, (request) => request.output_toks),
    },
    measured: {
      ttft: column((request) => request.first_token_ts - arrivalOf(request)),
      // 0 / 0 where there is one token.
      tpot: column((request) =>
        (request.last_token_ts - request.first_token_ts) / (request.output_toks - 1)
      ),
      e2e: column((request) => request.last_token_ts - arrivalOf(request)),
    },
  };
}

function checkTimes(request: LoggedRequest, path: string, line: number): void {
  const { queued_ts: queued, first_token_ts: first, last_token_ts: last } = request;
  const times = [queued, request.scheduled_ts ?? queued, first, last];
  if (times.some((time, i) => i > 0 && time < times[i - 1]!)) {
    throw new TraceError(
      path,
      line,
      `times must not decrease from queued_ts to scheduled_ts, first_token_ts and last_token_ts, current values are ${
        times.join(", ")
      }`,
    );
  }
  if (request.output_toks > 1 && first === last) {
    throw new TraceError(
      path,
      line,
      "output_toks > 1 must take time, first and last token have none",
    );
  }
}

/** When a request arrived, on the engine's clock. */
function arrivalClock(requests: readonly LoggedRequest[]): (request: LoggedRequest) => number {
  const delays = requests.map(({ queued_ts: queued, arrival_time: arrival }) =>
    arrival === undefined ? Number.NaN : queued - arrival
  );
  const offset = delays.reduce((least, delay) => Math.min(least, delay), Infinity);
  if (Number.isNaN(offset)) return (request) => request.queued_ts;
  return (request) => request.arrival_time! + offset;
}
