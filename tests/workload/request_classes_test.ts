import {
  dealRequestClasses,
  openWorkload,
  readTrace,
  requestClassSchema,
  sliceByCount,
  type Workload,
  workloadSchema,
} from "@signalbox/signalbox/workload";
import { Rng } from "@signalbox/signalbox/random";
import * as fc from "fast-check";
import assert from "node:assert/strict";

const chat = requestClassSchema.parse({ name: "chat", share: 3, priority: 5, ttftSloSeconds: 0.5 });
const batch = requestClassSchema.parse({ name: "batch", share: 1, e2eSloSeconds: 60 });

function requests(count: number): Workload {
  return {
    name: "test",
    count,
    arrivalSeconds: Float64Array.from({ length: count }, (_, i) => i),
    promptTokens: new Int32Array(count).fill(10),
    outputTokens: new Int32Array(count).fill(10),
  };
}

async function withTrace(text: string, body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("dealRequestClasses() keeps the shares in every stretch", () => {
  const dealt = dealRequestClasses(requests(2000), [chat, batch]);
  fc.assert(
    fc.property(fc.nat(1800), fc.integer({ min: 20, max: 200 }), (start, count) => {
      const { priority } = sliceByCount(dealt, start, count);
      const chats = priority!.filter((value) => value === 5).length;
      // The discrepancy of n points of this sequence is below (1 + log(n) / log(1.618)) / n.
      assert.ok(Math.abs(chats - 0.75 * count) <= 2 * (1 + Math.log(count) / Math.log(1.618)));
    }),
    { numRuns: 200, seed: 7 },
  );
});

Deno.test("dealRequestClasses() gives a column to each target that a class has, and to no other", () => {
  const { slos, priority } = dealRequestClasses(requests(4), [chat, batch]);
  // Fractions of i x 0.618: 0, 0.618, 0.236, 0.854; the first three are below 3 / 4.
  assert.deepEqual([...priority!], [5, 5, 5, 0]);
  assert.deepEqual(Object.keys(slos!), ["ttftSeconds", "e2eSeconds"]);
  assert.deepEqual([...slos!.ttftSeconds!], [0.5, 0.5, 0.5, Infinity]);
  assert.deepEqual([...slos!.e2eSeconds!], [Infinity, Infinity, Infinity, 60]);
});

Deno.test("dealRequestClasses() refuses no classes and requests that were promised something", () => {
  assert.throws(() => dealRequestClasses(requests(1), []), {
    name: "RangeError",
    message: "Cannot deal classes: classes must be non-empty, current value is []",
  });
  assert.throws(() => dealRequestClasses({ ...requests(1), slos: {} }, [chat]), {
    name: "RangeError",
    message: /test must have no priorities and targets of its own/,
  });
});

Deno.test("openWorkload() deals the configured classes to generated and replayed requests", () =>
  withTrace(
    "arrived_at,num_prefill_tokens,num_decode_tokens\n0,1,1\n1,1,1\n2,1,1\n3,1,1\n",
    async (path) => {
      for (const config of [{ kind: "fitted" }, { kind: "trace", path }]) {
        const source = await openWorkload(
          workloadSchema.parse({ ...config, classes: [chat, batch] }),
        );
        const { slos, priority } = source.sample(new Rng(1), { count: 4 }, "all");
        assert.deepEqual([...priority!], [5, 5, 5, 0]);
        assert.deepEqual([...slos!.ttftSeconds!], [0.5, 0.5, 0.5, Infinity]);
      }
    },
  ));

Deno.test("readTrace() reads priorities and targets of CSV rows, empty where there is none", () =>
  withTrace(
    "arrived_at,ttft_slo_seconds,num_prefill_tokens,num_decode_tokens,priority\n" +
      "0,0.25,7,3,2\n1,,8,4,\n2,1.5,9,5,-1\n",
    async (path) => {
      const { slos, priority, promptTokens } = await readTrace(path);
      assert.deepEqual([...promptTokens], [7, 8, 9]);
      assert.deepEqual(Object.keys(slos!), ["ttftSeconds"]);
      assert.deepEqual([...slos!.ttftSeconds!], [0.25, Infinity, 1.5]);
      assert.deepEqual([...priority!], [2, 0, -1]);
    },
  ));

Deno.test("readTrace() reads targets of JSON lines that have them", () => {
  const line = (queued: number, more: Record<string, unknown>): string =>
    JSON.stringify({ queued_ts: queued, input_toks: 5, output_toks: 5, ...more });
  return withTrace(
    [line(0, {}), line(1, { e2e_slo_seconds: 9, tpot_slo_seconds: null }), line(2, {})].join("\n"),
    async (path) => {
      const { slos, priority } = await readTrace(path);
      assert.deepEqual([...slos!.e2eSeconds!], [Infinity, 9, Infinity]);
      assert.equal(slos!.tpotSeconds, undefined);
      assert.equal(priority, undefined);
    },
  );
});

Deno.test("readTrace() refuses targets and priorities that cannot be meant, with the line", async () => {
  const header = "arrived_at,num_prefill_tokens,num_decode_tokens";
  const cases: [string, string, RegExp][] = [
    ["e2e_slo_seconds", "0", /line 2: e2e_slo_seconds must be a finite number > 0, .* "0"/],
    ["ttft_slo_seconds", "soon", /ttft_slo_seconds must be .* current value is "soon"/],
    ["priority", "1.5", /priority must be a 32-bit integer, current value is "1.5"/],
  ];
  for (const [column, text, message] of cases) {
    await withTrace(`${header},${column}\n0,1,1,${text}\n`, async (path) => {
      await assert.rejects(readTrace(path), { name: "TraceError", message });
    });
  }
});
