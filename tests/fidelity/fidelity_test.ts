// deno-lint-ignore-file camelcase -- the names are those of the recorded files.
/** Measured runs of vLLM beside their replay. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  compareLatencies,
  createRunBundleTimer,
  type EngineRun,
  fidelityEcdf,
  fidelityScatter,
  modelOf,
  readEngineRun,
  readEngineSettings,
  replayEngineRun,
  type RequestLatencies,
} from "../../lib/fidelity/mod.ts";
import { renderSvg } from "../../lib/plot/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { kindSeconds } from "../timing/_operations.ts";

const shared = fileURLToPath(new URL("../../../shared", import.meta.url));
const missing = !existsSync(`${shared}/measured`);

const LINES = [
  { input_toks: 20, output_toks: 1, queued_ts: 101, first_token_ts: 102, last_token_ts: 102 },
  { input_toks: 10, output_toks: 3, queued_ts: 100, first_token_ts: 100.5, last_token_ts: 101.5 },
];
const META = {
  model: "meta-llama/Llama-3.1-8B",
  engine_kwargs: { tensor_parallel_size: 1, max_num_seqs: 7, max_num_batched_tokens: 64 },
};
const CLUSTER = {
  nodes: [{
    instances: [{ hardware: "RTX4090", npu_mem: { mem_size: 24, mem_util: 0.833919 } }],
  }],
};

/** Reads a run from the given contents. */
async function readFrom(
  { requests = LINES.map((line) => JSON.stringify(line)).join("\n"), meta = META as unknown } = {},
): Promise<EngineRun> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/requests.jsonl`, requests);
    await Deno.writeTextFile(`${folder}/meta.json`, JSON.stringify(meta));
    await Deno.writeTextFile(`${folder}/cluster.json`, JSON.stringify(CLUSTER));
    return await readEngineRun(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readEngineRun() orders requests by arrival and measures from there", async () => {
  const { workload, measured, gpu, model, scheduler } = await readFrom();
  assert.deepEqual([...workload.arrivalSeconds], [0, 1]);
  assert.deepEqual([...workload.promptTokens], [10, 20]);
  assert.deepEqual([...workload.outputTokens], [3, 1]);
  assert.deepEqual([...measured.ttft], [0.5, 1]);
  assert.deepEqual([...measured.tpot], [0.5, NaN]);
  assert.deepEqual([...measured.e2e], [1.5, 1]);
  assert.deepEqual([gpu, model], ["rtx4090", "meta-llama/Llama-3.1-8B"]);
  assert.equal(scheduler.kind, "vllm_v1");
  assert.equal(scheduler.batchSizeCap, 7);
  assert.equal(scheduler.chunkTokens, 64);
  assert.equal(scheduler.prefixCaching, true);
});

Deno.test("readEngineRun() takes logged blocks, less the one that vLLM keeps, or plans them", async () => {
  const logged = await readFrom({
    meta: {
      ...META,
      kv_cache: { num_gpu_blocks: 500, block_size: 32, enable_prefix_caching: false },
      resolved_config: { scheduler_config: { scheduler_reserve_full_isl: false } },
    },
  });
  assert.equal(logged.kvBlocks, 499);
  assert.equal(logged.scheduler.blockSize, 32);
  assert.equal(logged.scheduler.prefixCaching, false);
  assert.equal(logged.scheduler.reserveWholePrompt, false);
  const resolved = await readFrom({
    meta: {
      ...META,
      engine_kwargs: { max_num_seqs: null, max_num_batched_tokens: 64 },
      resolved_config: { scheduler_config: { max_num_seqs: 9 } },
    },
  });
  assert.deepEqual([resolved.scheduler.batchSizeCap, resolved.scheduler.chunkTokens], [9, 64]);
  assert.equal(resolved.scheduler.reserveWholePrompt, true);
  // The engine on that GPU logged 2588 blocks; the weights leave 24 GiB x 0.833919 - 16.06 GB for
  // blocks of 16 tokens x 128 KiB.
  const planned = await readFrom();
  assert.ok(Math.abs(planned.kvBlocks - 2588) <= 3, String(planned.kvBlocks));
});

Deno.test("readEngineRun() takes arrivals from arrival_time, set to the engine's clock", async () => {
  // Queued 0.25 s and at least 0.1 s after arrival: clocks differ by 99.9 s.
  const requests = [
    { ...LINES[1]!, arrival_time: 0.1 },
    { ...LINES[0]!, arrival_time: 0.85 },
  ].map((line) => JSON.stringify(line)).join("\n");
  const { workload, measured } = await readFrom({ requests });
  assertAllClose(workload.arrivalSeconds, [0, 0.75], { atol: 1e-9 });
  assertAllClose(measured.ttft, [0.5, 1.25], { atol: 1e-9 });
  assertAllClose(measured.e2e, [1.5, 1.25], { atol: 1e-9 });
});

Deno.test("readEngineSettings() prefers what is given by hand and needs no files then", async () => {
  const given = {
    model: "meta-llama/Llama-3.1-8B",
    gpu: "rtx4090",
    tensorParallel: 2,
    maxNumSeqs: 5,
    maxNumBatchedTokens: 99,
  };
  const planned = await readEngineSettings(given);
  assert.deepEqual([planned.scheduler.batchSizeCap, planned.scheduler.chunkTokens], [5, 99]);
  assert.deepEqual([planned.tensorParallel, planned.dataParallel], [2, 1]);
  // 0.9 x 25.25 GB less 8.03 GB of weights, in blocks of 16 x 64 KiB.
  assert.ok(Math.abs(planned.kvBlocks - 14015) < 30, String(planned.kvBlocks));
  assert.equal((await readEngineSettings({ ...given, kvBlocks: 77 })).kvBlocks, 77);
  const { gpu: _, ...unknown } = given;
  await assert.rejects(readEngineSettings(unknown), {
    name: "ConfigError",
    message: /gpu must be/,
  });
});

Deno.test("readEngineSettings() reads the architecture of a model that the catalogue lacks", async () => {
  const path = await Deno.makeTempFile();
  const config = {
    model_type: "llama",
    num_hidden_layers: 4,
    num_attention_heads: 8,
    hidden_size: 1024,
    intermediate_size: 4096,
    vocab_size: 32000,
    max_position_embeddings: 4096,
  };
  try {
    await Deno.writeTextFile(path, JSON.stringify(config));
    const given = { gpu: "a40", maxNumSeqs: 5, maxNumBatchedTokens: 99, modelConfig: () => path };
    const small = await readEngineSettings({ ...given, model: "own/small" });
    assert.equal(modelOf(small).layers, 4);
    const known = await readEngineSettings({ ...given, model: "meta-llama/Llama-2-7b-hf" });
    assert.equal(modelOf(known).layers, 32);
    await Deno.writeTextFile(path, JSON.stringify({ ...config, num_hidden_layers: 9999 }));
    await assert.rejects(readEngineSettings({ ...given, model: "own/large" }), {
      name: "ConfigError",
      message: /kvBlocks must be >= 1: the weights of own\/large leave no memory/,
    });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readEngineSettings() counts twice as many blocks of one-byte numbers", async () => {
  const withCache = (kv_cache_dtype: string): Promise<EngineRun> =>
    readFrom({ meta: { ...META, engine_kwargs: { ...META.engine_kwargs, kv_cache_dtype } } });
  const [sixteen, eight] = [await withCache("auto"), await withCache("fp8_e4m3")];
  assert.deepEqual([sixteen.kvNumberBytes, eight.kvNumberBytes], [2, 1]);
  assert.equal(eight.kvBlocks, 2 * sixteen.kvBlocks);
});

Deno.test("readEngineRun() names the file, the line and the field that is wrong", async () => {
  const line = LINES[0]!;
  const refuse = async (value: unknown, message: RegExp): Promise<void> => {
    const requests = `${JSON.stringify(line)}\n${JSON.stringify(value)}\n`;
    await assert.rejects(readFrom({ requests }), { name: "TraceError", message });
  };
  await refuse({ ...line, input_toks: 0 }, /requests\.jsonl, line 2: input_toks: /);
  await refuse({ ...line, queued_ts: "1" }, /requests\.jsonl, line 2: queued_ts: /);
  await refuse(
    { ...line, first_token_ts: 99 },
    /line 2: times must not decrease.* 101, 101, 99, 102$/,
  );
  const { queued_ts: _, ...unqueued } = line;
  await refuse(unqueued, /requests\.jsonl, line 2: it has no queued_ts$/);
  await refuse(
    { ...line, scheduled_ts: 100 },
    /line 2: times must not decrease.* 101, 100, 102, 102$/,
  );
  await refuse({ ...line, output_toks: 2 }, /line 2: output_toks > 1 must take time/);
  await refuse(3, /requests\.jsonl, line 2: the value: /);
  await assert.rejects(readFrom({ requests: "{" }), { message: /line 1: it is not JSON/ });
  await assert.rejects(readFrom({ requests: "" }), { message: /at least one request/ });
  await assert.rejects(readFrom({ meta: { ...META, engine_kwargs: {} } }), {
    name: "ConfigError",
    message: /max_num_seqs must be given, or stated in meta\.json or cluster\.json/,
  });
  await assert.rejects(readFrom({ meta: { ...META, model: "no/such" } }), { name: "ConfigError" });
  await assert.rejects(readEngineRun("/no/such/run"), {
    name: "TraceError",
    message: /meta\.json: the file cannot be read/,
  });
});

Deno.test("replayEngineRun() serves the run's requests with the run's settings", async () => {
  const run = await readFrom();
  const timer = { modelSeconds: () => 0.25, overheadSeconds: () => 0 };
  const { ttft, tpot, e2e } = replayEngineRun(run, timer);
  // Request 1 arrives at 1, when request 0 is complete since 0.75.
  assert.deepEqual([...ttft], [0.25, 0.25]);
  assert.deepEqual([...tpot], [0.25, NaN]);
  assert.deepEqual([...e2e], [0.75, 0.25]);
});

Deno.test("replayEngineRun() spreads requests over data-parallel copies", async () => {
  const requests = [0, 0.1, 0.2].map((queued_ts) =>
    JSON.stringify({ ...LINES[1]!, queued_ts, first_token_ts: 9, last_token_ts: 10 })
  ).join("\n");
  const engine_kwargs = { ...META.engine_kwargs, max_num_seqs: 1 };
  const replayOn = async (data_parallel_size: number): Promise<number[]> => {
    const kwargs = { ...engine_kwargs, data_parallel_size };
    const run = await readFrom({ requests, meta: { ...META, engine_kwargs: kwargs } });
    const timer = { modelSeconds: () => 1, overheadSeconds: () => 0 };
    return [...replayEngineRun(run, timer).ttft];
  };
  // Three iterations a request, one request at a time: the second copy takes the second request.
  assertAllClose(await replayOn(1), [1, 3.9, 6.8], { atol: 1e-9 });
  assertAllClose(await replayOn(2), [1, 1, 3.8], { atol: 1e-9 });
});

Deno.test("createRunBundleTimer() finds the profile of a run and tells whose share it is", async () => {
  const bundles = await Deno.makeTempDir();
  const run = {
    gpu: "rtx4090",
    model: "meta-llama/Llama-3.1-8B",
    tensorParallel: 2,
    kvNumberBytes: 2,
  };
  const dense = ["layernorm", "qkv_proj", "rotary_emb", "o_proj", "gate_up_proj", "act_fn"]
    .concat("down_proj", "embedding", "final_layernorm").map((name) => `${name},1,5`).join("\n");
  const batch = {
    requestCount: 1,
    totalTokens: 1,
    decodeCount: 1,
    decodeContextTokens: 16,
    maxDecodeContextTokens: 16,
    prefillCount: 0,
    prefillContextTokens: [],
    prefillChunkTokens: [],
  };
  // Two norms and six products of 5 us in 32 layers, attention of 1 us, embedding and norm of 10 us.
  const layers = 32 * (8 * 5 + 1);
  const secondsWith = async (folder: string, outputMicroseconds: number): Promise<number> => {
    const path = `${bundles}/RTX4090/${run.model}/${folder}`;
    await Deno.mkdir(path, { recursive: true });
    const grid = [0, 16, 32].flatMap((c) =>
      [0, 16, 32].flatMap((
        k,
      ) => [[c, k, 0, 0], [c, k, 1, 16], [c, k, 1, 32], [c, k, 2, 16], [c, k, 2, 32]])
    ).filter(([c, k, n]) => c! + n! > 0 && (c! > 0 || k === 0));
    const attention = grid.map((row) => `${row.join(",")},1`).join("\n");
    for (
      const [name, text] of Object.entries({
        "meta.yaml": "gpu: RTX4090\n",
        "dense.csv": `layer,tokens,time_us\n${dense}\n`,
        "per_sequence.csv":
          `layer,sequences,time_us\nlm_head,1,${outputMicroseconds}\nsampler,1,0\n`,
        "attention.csv": `prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n${attention}\n`,
      })
    ) await Deno.writeTextFile(`${path}/${name}`, text);
    const timer = await createRunBundleTimer(run, bundles);
    const { communication } = kindSeconds(timer!, batch, 0);
    await Deno.remove(path, { recursive: true });
    return timer!.modelSeconds(batch, 0) - communication;
  };
  try {
    assert.equal(await createRunBundleTimer(run, bundles), undefined);
    // Reading the output matrix of 1.05 GB takes a GPU with 1008 GB/s 1042 us: 1100 us are one GPU's
    // and are halved, 560 us are already those of one of two.
    const whole = await secondsWith("", 1100);
    assert.ok(Math.abs(whole * 1e6 - (layers / 2 + 10 + 550)) < 1e-6, String(whole));
    const part = await secondsWith("bf16", 560);
    assert.ok(Math.abs(part * 1e6 - (layers + 10 + 560)) < 1e-6, String(part));
  } finally {
    await Deno.remove(bundles, { recursive: true });
  }
});

const measured: RequestLatencies = {
  ttft: Float64Array.of(1, 2, 3),
  tpot: Float64Array.of(0.1, NaN, 0.3),
  e2e: Float64Array.of(2, 4, 6),
};
const simulated: RequestLatencies = {
  ttft: Float64Array.of(1, 2, 6),
  tpot: Float64Array.of(0.1, NaN, 0.2),
  e2e: Float64Array.of(1, 2, 3),
};

Deno.test("compareLatencies() states mean and quantiles of what both sides have", () => {
  const rows = compareLatencies(measured, simulated);
  assert.equal(rows.length, 12);
  assert.deepEqual(rows.slice(0, 4).map((row) => row.statistic), ["mean", "p50", "p90", "p99"]);
  const errors = rows.map((row) => row.relativeError);
  // Linear between order statistics: the 90th percentiles of ttft are 2.8 and 5.2.
  assertAllClose(errors.slice(0, 3), [0.5, 0, 5.2 / 2.8 - 1], { rtol: 1e-12, atol: 1e-12 });
  assertAllClose(errors.slice(4, 6), [-0.25, -0.25], { rtol: 1e-12 });
  assertAllClose(errors.slice(8), [-0.5, -0.5, -0.5, -0.5], { rtol: 1e-12 });
});

Deno.test("compareLatencies() refuses runs of different requests", () => {
  assert.throws(() => compareLatencies(measured, { ...simulated, e2e: Float64Array.of(1) }), {
    name: "RangeError",
    message: /e2e must have one row a request on both sides, current lengths are 3, 1/,
  });
});

Deno.test("fidelity charts show every latency and every run", async () => {
  const simulations = [{ name: "roofline", latencies: simulated }];
  for (const chart of [fidelityScatter, fidelityEcdf]) {
    const svg = await renderSvg(chart(measured, simulations));
    for (const text of ["roofline", "first token", "output token", "End-to-end"]) {
      assert.ok(svg.includes(text), `${chart.name}: ${text}`);
    }
    assert.ok(!svg.includes("NaN"));
  }
});

Deno.test({
  name: "replayEngineRun() with a measured profile replays vLLM runs with nothing fitted",
  ignore: missing,
  async fn() {
    for (const gpu of ["RTXPRO6000", "RTX4090"]) {
      const run = await readEngineRun(`${shared}/measured/${gpu}_Llama-3.1-8B`);
      const timer = await createRunBundleTimer(run, `${shared}/profiling/llmservingsim`);
      assert.ok(timer !== undefined);
      for (const row of compareLatencies(run.measured, replayEngineRun(run, timer))) {
        if (row.statistic !== "mean") continue;
        const { metric, relativeError } = row;
        const limit = metric === "ttft" ? 0.05 : 0.02;
        assert.ok(Math.abs(relativeError) < limit, `${gpu} ${metric}: ${relativeError}`);
      }
    }
  },
});
