import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TraceError } from "../../lib/support/mod.ts";
import { readTrace, summarizeWorkload, type Workload } from "../../lib/workload/mod.ts";

const traces = fileURLToPath(new URL("../../../shared/traces/", import.meta.url));
const missing = !existsSync(traces);

/** Reads a trace with the given content. */
async function readText(text: string): Promise<Workload> {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    await Deno.writeTextFile(path, text);
    return await readTrace(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Asserts that the content is refused at a line for a reason. */
async function assertRefused(text: string, line: number, reason: RegExp): Promise<void> {
  await assert.rejects(readText(text), (error: unknown) => {
    assert.ok(error instanceof TraceError, String(error));
    assert.equal(error.line, line, error.message);
    assert.match(error.file, /\.csv$/);
    assert.match(error.message, reason);
    return true;
  });
}

const VIDUR = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
const AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

Deno.test("readTrace() reads Vidur's format", async () => {
  const workload = await readText(`${VIDUR}0.25,374,44\n0.25,1,1.0\n1e2,14050,1000\n`);
  assert.equal(workload.count, 3);
  assert.deepEqual([...workload.arrivalSeconds], [0.25, 0.25, 100]);
  assert.deepEqual([...workload.promptTokens], [374, 1, 14050]);
  assert.deepEqual([...workload.outputTokens], [44, 1, 1000]);
});

Deno.test("readTrace() reads Azure's format with times relative to the first", async () => {
  const workload = await readText(
    `${AZURE}2023-12-31 23:59:59.7500000,10,1\n2024-01-01 00:00:00.2500001,20,2\n` +
      "2024-01-01 00:01:00.25+00:00,30,3\n",
  );
  assert.deepEqual([...workload.promptTokens], [10, 20, 30]);
  const [first, second, third] = workload.arrivalSeconds;
  assert.equal(first, 0);
  assert.ok(Math.abs(second! - 0.5000001) < 1e-12);
  assert.equal(third, 60.5);
});

Deno.test("readTrace() accepts columns in any order, byte order mark and CRLF", async () => {
  const workload = await readText(
    "\ufeffnum_decode_tokens, arrived_at ,num_prefill_tokens\r\n3,1.5,2\r\n4,2.5,3\r\n",
  );
  assert.deepEqual([...workload.arrivalSeconds], [1.5, 2.5]);
  assert.deepEqual([...workload.promptTokens], [2, 3]);
  assert.deepEqual([...workload.outputTokens], [3, 4]);
});

Deno.test("readTrace() keeps every row of a long trace", async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => `${i},${i + 1},${2 * i + 1}\n`);
  const workload = await readText(VIDUR + rows.join(""));
  assert.equal(workload.count, 5000);
  assert.equal(workload.promptTokens[4999], 5000);
  assert.equal(workload.outputTokens[1024], 2049);
});

Deno.test("readTrace() names file, line and reason of a bad row", async () => {
  await assertRefused(`${VIDUR}1,2,3\n2,x,3\n`, 3, /num_prefill_tokens must be an integer .* "x"$/);
  await assertRefused(`${VIDUR}1,2,3\n2,5,\n`, 3, /num_decode_tokens must be .* value is ""$/);
  await assertRefused(`${VIDUR}1,2.5,3\n`, 2, /num_prefill_tokens must be an integer/);
  await assertRefused(`${VIDUR}1,0,3\n`, 2, /must be an integer in \[1, 2147483647\]/);
  await assertRefused(`${VIDUR}1,3,-3\n`, 2, /num_decode_tokens must be .* "-3"$/);
  await assertRefused(`${VIDUR}1,3000000000,3\n`, 2, /must be an integer in \[1, 2147483647\]/);
  await assertRefused(`${VIDUR}-1,2,3\n`, 2, /arrived_at must be a finite number >= 0/);
  await assertRefused(`${VIDUR}0x10,2,3\n`, 2, /arrived_at must be a finite number >= 0/);
  await assertRefused(`${VIDUR}1,2,3\n0.5,2,3\n`, 3, /must not decrease, .* 0.5 s after 1 s$/);
  await assertRefused(`${VIDUR}1,2,3\n2,3\n`, 3, /there must be 3 fields, current number is 2/);
  await assertRefused(`${VIDUR}1,2,3,4\n`, 2, /there must be 3 fields, current number is 4/);
  await assertRefused(`${VIDUR}1,2,3\n\n2,2,3\n`, 3, /there must be 3 fields/);
  await assertRefused(`${VIDUR}1,2,"3\n2,2,3\n`, 3, /[Qq]uote/);
});

Deno.test("readTrace() names file, line and reason of a bad time stamp", async () => {
  const good = "2023-11-16 18:15:46.6805900,374,44\n";
  await assertRefused(`${AZURE}16.11.2023 18:15,1,1\n`, 2, /TIMESTAMP must be a time like 2023/);
  await assertRefused(`${AZURE}2023-02-30 18:15:46,1,1\n`, 2, /TIMESTAMP must be a time like/);
  await assertRefused(`${AZURE}2023-11-16 24:15:46,1,1\n`, 2, /TIMESTAMP must be a time like/);
  await assertRefused(
    `${AZURE}${good}${good}2023-11-16 18:15:46.6805899,1,1\n`,
    4,
    /TIMESTAMP must not decrease/,
  );
  await assertRefused(
    `${AZURE}${good}2023-11-16 18:15:48,1,1\n2023-11-16 18:15:47,1,1\n`,
    4,
    /arrival times must not decrease/,
  );
  await assertRefused(`${AZURE}2023-11-16 18:15:46,374,0\n`, 2, /GeneratedTokens must be/);
});

Deno.test("readTrace() reads BurstGPT's format with and without its optional columns", async () => {
  const short = await readText(
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n" +
      "5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,1087,230,1317,API log\n",
  );
  assert.deepEqual([...short.arrivalSeconds], [5, 45.5]);
  assert.deepEqual([...short.promptTokens], [472, 1087]);
  assert.deepEqual([...short.outputTokens], [18, 230]);
  assert.equal(short.prefixHashes, undefined);
  const head = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens," +
    "Total tokens,Log Type\n";
  const long = await readText(`${head}5,1,0.3,ChatGPT,472,18,490,Conversation log\n`);
  assert.deepEqual([...long.promptTokens], [472]);
  await assertRefused(`${head}5,1,0.3,ChatGPT,472,0,472,API log\n`, 2, /Response tokens must be/);
  await assertRefused(`${head}-5,1,0.3,ChatGPT,4,1,5,API log\n`, 2, /Timestamp must be a finite/);
});

const MOONCAKE =
  '{"timestamp": 1500, "input_length": 513, "output_length": 2, "hash_ids": [7, 8]}\n';
const VLLM = '{"request_id": "a", "input_toks": 20, "output_toks": 3, "queued_ts": 100.5}\n';

Deno.test("readTrace() reads Mooncake's format with the hashes of prompt blocks", async () => {
  const workload = await readText(
    `\ufeff${MOONCAKE}` +
      '{"timestamp": 2000, "input_length": 512, "output_length": 1, "hash_ids": [7]}\n',
  );
  assert.deepEqual([...workload.arrivalSeconds], [1.5, 2]);
  assert.deepEqual([...workload.promptTokens], [513, 512]);
  assert.deepEqual([...workload.outputTokens], [2, 1]);
  assert.deepEqual(workload.prefixHashes, {
    blockTokens: 512,
    starts: Int32Array.of(0, 2, 3),
    hashes: Int32Array.of(7, 8, 7),
  });
});

Deno.test("readTrace() reads vLLM's benchmark log with times relative to the first", async () => {
  const workload = await readText(`${VLLM}\n${VLLM.replace("100.5", "102.75")}`);
  assert.deepEqual([...workload.arrivalSeconds], [0, 2.25]);
  assert.deepEqual([...workload.promptTokens], [20, 20]);
  assert.deepEqual([...workload.outputTokens], [3, 3]);
});

Deno.test("readTrace() names file, line and reason of a bad JSON line", async () => {
  const bad = (from: string, to: string): string => MOONCAKE + MOONCAKE.replace(from, to);
  await assertRefused(bad("513", '"513"'), 2, /input_length must be an integer, .* "513"$/);
  await assertRefused(bad("513", "513.5"), 2, /input_length must be an integer in \[1/);
  await assertRefused(bad('"output_length": 2, ', ""), 2, /output_length must be .* missing$/);
  await assertRefused(bad("1500", "-1"), 2, /timestamp must be a finite number >= 0, .* -1$/);
  await assertRefused(bad("1500", "1e999"), 2, /timestamp must be a finite .* is Infinity$/);
  await assertRefused(bad("{", '{"priority": [3], '), 2, /priority must be .* is "\[3\]"$/);
  await assertRefused(bad("1500", "1499"), 2, /must not decrease, .* 1.499 s after 1.5 s$/);
  await assertRefused(bad("[7, 8]", "[7]"), 2, /hash_ids must be 2 integers .* is \[7\]$/);
  await assertRefused(bad("[7, 8]", "[7, 0.5]"), 2, /hash_ids must be 2 integers/);
  await assertRefused(`${MOONCAKE}[1]\n`, 2, /timestamp must be a finite number/);
  await assertRefused(`${MOONCAKE}1\n`, 2, /the line must be a JSON object/);
  await assertRefused(`${MOONCAKE}{\n`, 2, /it is not JSON/);
  await assertRefused('{"a": 1}\n', 1, /the fields must be timestamp,.* or queued_ts.* are a$/);
  await assertRefused(VLLM + VLLM.replace("100.5", "100"), 2, /must not decrease/);
});

Deno.test("readTrace() refuses headers that it does not know", async () => {
  await assertRefused("a,b,c\n1,2,3\n", 1, /the header must be arrived_at,.* or TIMESTAMP/);
  await assertRefused("arrived_at,num_prefill_tokens\n1,2\n", 1, /lacks the column num_decode/);
  await assertRefused(`session,${VIDUR}1,2,3,4\n`, 1, /has an unknown column "session"/);
  await assertRefused(`arrived_at,${VIDUR}1,2,3,4\n`, 1, /has the column arrived_at twice/);
});

Deno.test("readTrace() refuses files without requests", async () => {
  await assertRefused("", 0, /there must be at least one request/);
  await assertRefused(VIDUR, 0, /there must be at least one request/);
});

Deno.test("readTrace() refuses what cannot be read", async () => {
  await assert.rejects(readTrace("/no/such/trace.csv"), {
    name: "TraceError",
    message: /^Cannot read \/no\/such\/trace.csv: the file cannot be read \(ENOENT/,
  });
  const folder = await Deno.makeTempDir();
  await assert.rejects(readTrace(folder), { name: "TraceError", message: /cannot be read/ });
  await Deno.remove(folder);
});

Deno.test({
  name: "readTrace() finds the known statistics of the Azure traces",
  ignore: missing,
  async fn() {
    // spec/practice.md section 6, rounded as there.
    const conversation = summarizeWorkload(await readTrace(`${traces}azure2023_conv.csv`));
    assert.equal(conversation.count, 19366);
    assert.equal(Math.round(conversation.durationSeconds), 3502);
    assert.equal(conversation.ratePerSecond.toFixed(2), "5.53");
    assert.equal(conversation.interArrivalCv.toFixed(2), "1.09");
    assert.equal(Math.round(conversation.promptTokens.mean), 1155);
    assert.equal(conversation.promptTokens.p50, 1020);
    assert.equal(conversation.promptTokens.p95, 4083);
    assert.equal(Math.round(conversation.outputTokens.mean), 211);
    assert.equal(conversation.outputTokens.p50, 129);
    assert.equal(conversation.outputTokens.p95, 451);
    const code = summarizeWorkload(await readTrace(`${traces}azure2023_code.csv`));
    assert.equal(code.count, 8819);
    assert.equal(code.ratePerSecond.toFixed(2), "2.57");
    assert.equal(code.interArrivalCv.toFixed(1), "13.2");
    assert.equal(Math.round(code.promptTokens.mean), 2048);
    assert.equal(Math.round(code.outputTokens.mean), 28);
  },
});

Deno.test({
  name: "readTrace() reads the same requests from both formats of one trace",
  ignore: missing,
  async fn() {
    const azure = await readTrace(`${traces}azure2023_conv.csv`);
    const vidur = await readTrace(`${traces}vidur_splitwise_conv.csv`);
    assert.deepEqual(azure.promptTokens, vidur.promptTokens);
    assert.deepEqual(azure.outputTokens, vidur.outputTokens);
    azure.arrivalSeconds.forEach((seconds, i) => {
      // Vidur's file is rounded to microseconds.
      assert.ok(Math.abs(seconds - vidur.arrivalSeconds[i]!) < 1.1e-6, `request ${i}`);
    });
  },
});

Deno.test({
  name: "readTrace() finds the known statistics of the Mooncake conversation trace",
  ignore: missing,
  async fn() {
    // spec/practice.md section 6: 36.6 % of the blocks begin some earlier prompt too.
    const { count, promptTokens, prefixHashes } = await readTrace(
      `${traces}mooncake_conversation.jsonl`,
    );
    assert.equal(count, 12031);
    assert.equal(Math.round(promptTokens.reduce((sum, tokens) => sum + tokens, 0) / count), 12035);
    const { starts, hashes } = prefixHashes!;
    const seen = new Set<number>();
    let found = 0;
    for (let i = 0; i < count; i++) {
      const row = hashes.subarray(starts[i], starts[i + 1]);
      const firstNew = row.findIndex((hash) => !seen.has(hash));
      found += firstNew === -1 ? row.length : firstNew;
      for (const hash of row) seen.add(hash);
    }
    assert.equal((found / hashes.length).toFixed(3), "0.366");
  },
});
