import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { getModel } from "../../lib/hardware/mod.ts";
import { quantile } from "../../lib/stats/mod.ts";
import {
  fitVidurProfile,
  readVidurProfile,
  readVidurTables,
  vidurLayerOperations,
  type VidurProfile,
  type VidurProfileFiles,
} from "../../lib/timing/mod.ts";
import { withFolder } from "../_helpers.ts";

const shared = fileURLToPath(new URL("../../../shared", import.meta.url));
const missing = !existsSync(`${shared}/profiling`);
const model = getModel("meta-llama/Llama-2-7b-hf");

/** Attention of the made-up profile, in milliseconds: linear in both arguments. */
const prefillMilliseconds = (context: number, chunk: number): number =>
  1 + 0.01 * context + 0.1 * chunk;
const decodeMilliseconds = (decodes: number, context: number): number =>
  1 + decodes + 0.01 * context;

/** Made-up tables: `k`-th operation `k + tokens` ms, all of them for tensor parallelism 1 and 2. */
function profileFiles(): Record<keyof VidurProfileFiles, string> {
  const median = (name: string): string => `time_stats.${name}.median`;
  const architecture = "n_head,n_kv_head,n_embd,n_expanded_embd,num_tensor_parallel_workers";
  const operations = [...vidurLayerOperations, "emb"];
  const mlp = [`${operations.map(median)},num_tokens,${architecture}`];
  for (const workers of [1, 2]) {
    for (const tokens of [1, 2, 4, 8]) {
      const times = operations.map((_, k) => (k + tokens) / workers);
      mlp.push(`${times},${tokens},32,32,4096,11008,${workers}`);
    }
  }
  const keys =
    "n_embd,n_q_head,n_kv_head,num_tensor_parallel_workers,batch_size,prefill_chunk_size,kv_cache_size";
  const attention = [`${median("attn_prefill")},${median("attn_decode")},${keys}`];
  for (const workers of [1, 2]) {
    const key = `4096,32,32,${workers}`;
    for (const context of [0, 100, 200]) {
      for (const chunk of [10, 20, 40]) {
        if (context + chunk > 220) continue;
        attention.push(`${prefillMilliseconds(context, chunk)},,${key},1,${chunk},${context}`);
      }
      for (const decodes of [1, 2, 4]) {
        attention.push(`,${decodeMilliseconds(decodes, context)},${key},${decodes},0,${context}`);
      }
    }
  }
  // Bytes of 1, 2 and 8 tokens of 4096 numbers.
  const network = (name: string, scale: number): string =>
    [`${median(name)},size,num_workers,devices_per_node`]
      .concat([1, 2, 8].map((tokens) => `${scale * tokens},${8192 * tokens},2,2`))
      .concat(`999,8192,2,1`).join("\n");
  const cpu = [
    "schedule_median,sampler_e2e_median,prepare_inputs_e2e_median,model_execution_e2e_median," +
    "process_model_outputs_median,ray_comm_time_mean,model_name,batch_size,tensor_parallel_degree",
    ...[1, 2].flatMap((degree) =>
      [8, 16].map((n) => `${n},1,1,999,1,1,${model.name},${n},${degree}`)
    ),
  ];
  return {
    mlp: mlp.join("\n"),
    attention: attention.join("\n"),
    allReduce: network("all_reduce", 3),
    sendRecv: network("send_recv", 5),
    cpuOverheads: cpu.join("\n"),
  };
}

/** Calls `f` with files of these texts. */
function withTexts<T>(
  texts: Partial<Record<keyof VidurProfileFiles, string>>,
  f: (files: VidurProfileFiles) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const files: Record<string, string> = {};
    for (const [name, text] of Object.entries(texts)) {
      files[name] = `${folder}/${name}.csv`;
      await Deno.writeTextFile(files[name], `${text}\n`);
    }
    return await f(files as unknown as VidurProfileFiles);
  });
}

function readTexts(
  texts: Partial<Record<keyof VidurProfileFiles, string>>,
  tensorParallel: number,
): Promise<VidurProfile> {
  return withTexts(texts, (files) => readVidurProfile(files, { model, tensorParallel }));
}

function assertMilliseconds(seconds: number, expected: number): void {
  assert.ok(Math.abs(seconds * 1e3 - expected) < 1e-9 * expected, `${seconds} s, ${expected} ms`);
}

Deno.test("readVidurProfile() is exact at profiled points, linear between and beyond them", async () => {
  const profile = await readTexts(profileFiles(), 1);
  assert.equal(profile.allReduceSeconds, undefined);
  const split = await readTexts(profileFiles(), 2);
  for (const tokens of [1, 2, 3, 4, 7, 8, 100]) {
    assertMilliseconds(profile.operationSeconds("input_layernorm", tokens), tokens);
    assertMilliseconds(profile.operationSeconds("add", tokens), tokens + 8);
    assertMilliseconds(split.allReduceSeconds!(tokens), 3 * tokens);
    assertMilliseconds(profile.sendRecvSeconds!(tokens), 5 * tokens);
  }
  for (const [context, chunk] of [[0, 10], [100, 20], [50, 15], [200, 20], [900, 10]] as const) {
    assertMilliseconds(
      profile.prefillSeconds!(context, chunk),
      prefillMilliseconds(context, chunk),
    );
  }
  for (const [decodes, context] of [[1, 0], [2, 150], [3, 100], [4, 5000], [32, 0]] as const) {
    assertMilliseconds(
      profile.decodeSeconds!(decodes, context),
      decodeMilliseconds(decodes, context),
    );
  }
  // Below the smallest profiled chunk, times stay.
  assertMilliseconds(profile.prefillSeconds!(100, 3), prefillMilliseconds(100, 10));
});

Deno.test("fitVidurProfile() fits ends, collectives and CPU work of every degree", async () => {
  const degrees = await withTexts(profileFiles(), (files) => fitVidurProfile(files, model));
  const curves = degrees.map(({ tensorParallel, embedding, allReduce, sendRecv, cpu }) => [
    tensorParallel,
    ...[embedding, allReduce, sendRecv, cpu].map((curve) => [curve?.counts, curve?.microseconds]),
  ]);
  // The embedding is operation 9; CPU work is 4 ms and 1 ms a request, not the model's execution.
  assert.deepEqual(curves, [
    [
      1,
      [[1, 8], [10_000, 17_000]],
      [undefined, undefined],
      [[1, 8], [5000, 40_000]],
      [[8, 16], [12_000, 20_000]],
    ],
    [
      2,
      [[1, 8], [5000, 8500]],
      [[1, 8], [3000, 24_000]],
      [[1, 8], [5000, 40_000]],
      [[8, 16], [12_000, 20_000]],
    ],
  ]);
});

Deno.test("readVidurProfile() names the file and what is wrong with it", async () => {
  const files = profileFiles();
  await assert.rejects(readTexts({ mlp: files.mlp.replace("num_tokens", "tokens") }, 1), {
    name: "TraceError",
    message: /mlp.csv, line 1: the header lacks the column num_tokens$/,
  });
  await assert.rejects(readTexts({ mlp: files.mlp.replace(",1,32,32,", ",one,32,32,") }, 1), {
    name: "TraceError",
    message: /mlp.csv, line 2: num_tokens must be a finite number, current value is "one"$/,
  });
  await assert.rejects(readTexts({ mlp: files.mlp }, 4), {
    name: "ConfigError",
    message: /tensorParallel must be a degree that .*mlp.csv has rows of for meta-llama/,
  });
  await assert.rejects(readTexts({ mlp: files.mlp, allReduce: "size,num_workers\n1,2" }, 2), {
    name: "TraceError",
    message: /allReduce.csv, line 1: the header lacks the column devices_per_node$/,
  });
});

/** The profile of Llama-2-70b on two A100s, all of it measured. */
async function readLlama70b(): Promise<VidurProfile> {
  const profiling = `${shared}/profiling`;
  return await readVidurProfile({
    mlp: `${profiling}/compute/a100/meta-llama/Llama-2-70b-hf/mlp.csv`,
    attention: `${profiling}/attention/a100_Llama-2-70b_tp2_flash_attention.csv`,
    allReduce: `${profiling}/network/a100_dgx/all_reduce.csv`,
    sendRecv: `${profiling}/network/a100_dgx/send_recv.csv`,
  }, { model: getModel("meta-llama/Llama-2-70b-hf"), tensorParallel: 2 });
}

Deno.test({
  name: "readVidurProfile() agrees with the regressors that Vidur trains on the same tables",
  ignore: missing || !existsSync(`${shared}/golden`),
  async fn() {
    const profile = await readLlama70b();
    const golden = `${shared}/golden/vidur`;
    const { tables } = JSON.parse(
      await Deno.readTextFile(`${golden}/70b-tp2-pp2-vllm/case.json`),
    ) as { tables: { compute: string; attn_decode: string; attn_prefill: string } };
    const predicted = await readVidurTables({
      compute: `${golden}/${tables.compute}`,
      decode: `${golden}/${tables["attn_decode"]}`,
      prefill: `${golden}/${tables["attn_prefill"]}`,
    }, 64);
    const check = (name: string, errors: readonly number[], median: number, p90: number): void => {
      assert.ok(errors.length > 4000, name);
      assert.ok(quantile(errors, 0.5) < median, `${name} median ${quantile(errors, 0.5)}`);
      assert.ok(quantile(errors, 0.9) < p90, `${name} p90 ${quantile(errors, 0.9)}`);
    };
    const curve = (table: Float64Array, seconds: (tokens: number) => number): number[] =>
      Array.from(table.subarray(1), (ms, i) => Math.abs(seconds(i + 1) * 1e3 / ms - 1));
    for (const operation of vidurLayerOperations) {
      const table = predicted.compute[operation]!;
      check(operation, curve(table, (n) => profile.operationSeconds(operation, n)), 0.005, 0.02);
    }
    check(
      "all_reduce",
      curve(predicted.compute.all_reduce!, profile.allReduceSeconds!),
      0.005,
      0.02,
    );
    check("send_recv", curve(predicted.compute.send_recv!, profile.sendRecvSeconds!), 0.005, 0.02);
    const { decode, prefill } = predicted;
    const errors: Record<"decode" | "prefill", number[]> = { decode: [], prefill: [] };
    for (let row = 1; row < decode.rows; row++) {
      for (let column = 1; column < decode.columns; column++) {
        const ms = decode.milliseconds[row * decode.columns + column]!;
        const seconds = profile.decodeSeconds!(row, column * decode.columnStep);
        errors.decode.push(Math.abs(seconds * 1e3 / ms - 1));
      }
    }
    for (let row = 0; row < prefill.rows; row++) {
      for (let chunk = 1; chunk < prefill.columns; chunk += 7) {
        const context = row * prefill.rowStep;
        // Profiled are sequences of up to 4,096 tokens.
        if (context + chunk > 4096) continue;
        const ms = prefill.milliseconds[row * prefill.columns + chunk]!;
        const seconds = profile.prefillSeconds!(context, chunk);
        errors.prefill.push(Math.abs(seconds * 1e3 / ms - 1));
      }
    }
    // Decodes of few tokens get faster where the kernel starts to split contexts, at batches of 16
    // to 32; the profile is kept monotone there.
    check("decode", errors.decode, 0.01, 0.08);
    check("prefill", errors.prefill, 0.025, 0.08);
  },
});
