import assert from "node:assert/strict";
import { Rng } from "../../lib/random/mod.ts";
import { openWorkload, workloadSchema, type WorkloadSource } from "../../lib/workload/mod.ts";

/** Opens a trace of requests at seconds 0, 1, ..., 100 with prompts of 1, 2, ..., 101 tokens. */
async function openTrace(options: Record<string, unknown> = {}): Promise<WorkloadSource> {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    const rows = Array.from({ length: 101 }, (_, i) => `${i},${i + 1},1\n`).join("");
    await Deno.writeTextFile(path, `arrived_at,num_prefill_tokens,num_decode_tokens\n${rows}`);
    return await openWorkload(workloadSchema.parse({ kind: "trace", path, ...options }));
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("openWorkload() draws stretches of the part of a trace that was asked for", async () => {
  const source = await openTrace();
  const prompts = { train: [1, 60], validation: [61, 70], test: [71, 101] } as const;
  for (const part of ["train", "validation", "test"] as const) {
    const [first, last] = prompts[part];
    const starts = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const workload = source.sample(new Rng(seed), { count: 5 }, part);
      assert.equal(workload.count, 5);
      const start = workload.promptTokens[0]!;
      assert.deepEqual([...workload.promptTokens], [0, 1, 2, 3, 4].map((i) => start + i));
      assert.ok(start >= first && start + 4 <= last, `${part}: ${start}`);
      assert.ok(workload.arrivalSeconds[0]! <= 1);
      starts.add(start);
    }
    assert.ok(starts.size > 5, part);
    const whole = source.whole!(part);
    assert.deepEqual([whole.promptTokens[0], whole.promptTokens.at(-1)], [first, last]);
  }
});

Deno.test("openWorkload() gives equal stretches for equal seeds", async () => {
  const source = await openTrace();
  const draw = () => source.sample(new Rng(4), { durationSeconds: 7.5 }, "all");
  assert.deepEqual(draw(), draw());
  const workload = draw();
  assert.ok(workload.count === 7 || workload.count === 8);
  assert.ok(workload.arrivalSeconds.every((seconds) => seconds >= 0 && seconds < 7.5));
});

Deno.test("openWorkload() applies token limit and rate before splitting", async () => {
  const source = await openTrace({ maxTokens: 51, overLength: "drop", ratePerSecond: 10 });
  const all = source.whole!("all");
  assert.equal(all.count, 50);
  assert.ok(Math.abs(all.arrivalSeconds[49]! - 4.9) < 1e-12);
  assert.equal(source.whole!("train").count, 30);
  await assert.rejects(openTrace({ maxTokens: 50 }), { name: "RangeError", message: /request 49/ });
});

Deno.test("openWorkload() refuses more than the part holds", async () => {
  const source = await openTrace();
  assert.throws(() => source.sample(new Rng(1), { count: 11 }, "validation"), {
    name: "RangeError",
    message: /\(validation\): count must be <= 10, current value is 11$/,
  });
  assert.throws(() => source.sample(new Rng(1), { durationSeconds: 200 }, "all"), {
    name: "RangeError",
    message: /durationSeconds must be <= 100, current value is 200$/,
  });
  assert.throws(() => source.sample(new Rng(1), { count: 0 }, "all"), { name: "RangeError" });
});

Deno.test("openWorkload() generates without end where there is no trace", async () => {
  const source = await openWorkload(workloadSchema.parse({ kind: "fitted" }));
  assert.equal(source.name, "azure_conversation_2023");
  assert.equal(source.whole, undefined);
  const a = source.sample(new Rng(1), { count: 20 }, "train");
  const b = source.sample(new Rng(1), { count: 20 }, "test");
  assert.deepEqual(a, b);
});

Deno.test("openWorkload() passes errors of the trace on", async () => {
  const config = workloadSchema.parse({ kind: "trace", path: "/no/such/file.csv" });
  await assert.rejects(openWorkload(config), { name: "TraceError" });
});
