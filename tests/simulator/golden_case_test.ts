// deno-lint-ignore-file camelcase -- names in Vidur's files
/** Reading recorded cases: what differs between them besides the schedule. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readGoldenCase } from "../../lib/cli/_golden_case.ts";
import { replayGoldenCase } from "../../lib/cli/_golden_replay.ts";
import { Simulator } from "../../lib/simulator/mod.ts";

const OPERATIONS = [
  "attn_pre_proj",
  "attn_post_proj",
  "mlp_up_proj",
  "mlp_down_proj",
  "mlp_act",
  "attn_rope",
  "attn_kv_cache_save",
  "input_layernorm",
  "post_attention_layernorm",
  "add",
  "send_recv",
  "all_reduce",
];

const TABLES = {
  compute: "tables/compute-1.csv.gz",
  attn_decode: "tables/attn_decode-1.csv.gz",
  attn_prefill: "tables/attn_prefill-1.csv.gz",
};

type Json = Record<string, unknown>;

/** `case.json` of Llama-3-8B on H100 in a pipeline of 2 x 2 GPUs, as Vidur writes it. */
function caseOf(scheduler: Json, result: Json, router = "lor"): Json {
  return {
    name: "made up",
    cluster_config: {
      num_replicas: 2,
      replica_config: {
        model_name: "meta-llama/Meta-Llama-3-8B",
        device: "h100",
        memory_margin_fraction: 0.1,
        num_pipeline_stages: scheduler["name"] === "lightllm" ? 1 : 2,
        tensor_parallel_size: 2,
        model_config: {
          num_layers: 32,
          num_q_heads: 32,
          num_kv_heads: 8,
          embedding_dim: 4096,
          mlp_hidden_dim: 14336,
          max_position_embeddings: 4096,
          use_gated_mlp: true,
          post_attn_norm: true,
          vocab_size: 128256,
          no_tensor_parallel: false,
        },
        device_config: { total_memory_gb: 80, fp16_tflops: 1000 },
      },
      global_scheduler_config: { name: router },
      replica_scheduler_config: {
        batch_size_cap: 128,
        block_size: 16,
        watermark_blocks_fraction: 0.01,
        num_blocks: null,
        ...scheduler,
      },
    },
    request_generator_config: { max_tokens: 64, name: "trace_replay" },
    predictor: {
      kv_cache_prediction_granularity: 16,
      attention_decode_batching_overhead_fraction: 0.1,
      attention_prefill_batching_overhead_fraction: 0.1,
      nccl_cpu_launch_overhead_ms: 0.02,
      nccl_cpu_skew_overhead_per_device_ms: 0.01,
      skip_cpu_overhead_modeling: true,
    },
    result: { requests: 4, events: 0, batches: 0, num_blocks: 0, err: null, ...result },
    tables: TABLES,
  };
}

async function writeGzip(path: string, lines: readonly string[]): Promise<void> {
  const bytes = new Blob([lines.join("\n") + "\n"]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(path, bytes);
}

/** Tables in which everything takes a little longer the larger it is. */
async function writeTables(root: string): Promise<void> {
  await Deno.mkdir(join(root, "tables"));
  const tokens = Array.from({ length: 256 }, (_, i) => i + 1);
  await writeGzip(join(root, TABLES.compute), [
    ["num_tokens", ...OPERATIONS].join(","),
    ...tokens.map((n) => [n, ...OPERATIONS.map((_, k) => 0.01 * (k + 1) + 1e-4 * n)].join(",")),
  ]);
  const contexts = [0, 16, 32, 48, 64, 80, 96, 112, 128];
  await writeGzip(join(root, TABLES.attn_decode), [
    "batch_size,kv_cache_size,ms",
    ...tokens.slice(0, 8).flatMap((n) => contexts.map((kv) => `${n},${kv},${0.1 * n + 1e-3 * kv}`)),
  ]);
  await writeGzip(join(root, TABLES.attn_prefill), [
    "kv_cache_size,prefill_chunk_size,ms",
    ...contexts.flatMap((kv) => tokens.slice(0, 128).map((n) => `${kv},${n},${1e-3 * (kv + n)}`)),
  ]);
}

/** Requests as a trace replay writes them: counts as floats. */
const REQUESTS = [[0, 30, 8], [0, 20, 1], [0, 40, 12], [0.004, 10, 6]] as const;

const OUTCOMES = "replica,scheduled_at,prefill_completed_at,completed_at,scheduling_delay," +
  "execution_time,model_execution_time,preempted_time,num_restarts,final_prefill_tokens," +
  "final_decode_tokens";

interface CaseFiles {
  /** `case.json`. */
  readonly config: Json;
  /** Rows of `expected_requests.csv`. */
  readonly outcomes?: readonly (readonly (number | "")[])[];
  /** Whether the tables lie in the case's own folder. */
  readonly ownTables?: boolean;
}

async function withCase(files: CaseFiles, use: (folder: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  const folder = join(root, "case");
  try {
    await Deno.mkdir(folder);
    await writeTables(files.ownTables === true ? folder : root);
    await Deno.writeTextFile(join(folder, "case.json"), JSON.stringify(files.config));
    const requests = REQUESTS.map(([at, prompt, output], i) =>
      `${i},${at},${prompt}.0,${output}.0`
    );
    await Deno.writeTextFile(
      join(folder, "requests.csv"),
      ["request_id,arrived_at,num_prefill_tokens,num_decode_tokens", ...requests, ""].join("\n"),
    );
    const rows = files.outcomes ?? REQUESTS.map(() => Array<"">(11).fill(""));
    await Deno.writeTextFile(
      join(folder, "expected_requests.csv"),
      [`request_id,${OUTCOMES}`, ...rows.map((row, i) => [i, ...row].join(",")), ""].join("\n"),
    );
    await writeGzip(join(folder, "expected_batches_first3000.jsonl.gz"), []);
    await use(folder);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const SCHEDULERS: Json[] = [
  { name: "sarathi", chunk_size: 32, num_blocks: 12 },
  { name: "vllm", max_tokens_in_batch: 64, num_blocks: 12.0 },
  { name: "orca", block_size: 8 },
  { name: "faster_transformer" },
  { name: "lightllm", block_size: 1, max_tokens_in_batch: 64, max_waiting_iters: 3 },
];

for (const scheduler of SCHEDULERS) {
  for (const router of ["lor", "round_robin", "random"]) {
    Deno.test(`readGoldenCase() reads what replayGoldenCase() repeats: ${scheduler["name"]}, ${router}`, () =>
      withCase(
        { config: caseOf(scheduler, {}, router), ownTables: router === "lor" },
        async (at) => {
          const { replicas, workload } = await readGoldenCase(at, new Map());
          assert.deepEqual([...workload.promptTokens], [30, 20, 40, 10]);
          assert.equal(replicas.length, 2);
          const [replica] = replicas;
          assert.equal(replica!.scheduler.kind, scheduler["name"]);
          assert.equal(replica!.scheduler.blockSize, scheduler["block_size"] ?? 16);
          assert.equal(replica!.scheduler.chunkTokens, scheduler["chunk_size"] ?? 512);
          // All of one instant in turn. Later, with "lor", replica 0 if it has no request waiting:
          // without a pipeline, the batch of request 0 has no room for the 40 tokens of request 2.
          const isIdle = router === "lor" && scheduler["name"] !== "lightllm";
          const choices = [0, 1, 0, isIdle ? 0 : 1];
          const simulator = new Simulator(workload, replicas);
          const { outcomes, eventCount, batchCount } = simulator.run(({ request }) =>
            choices[request.index]!
          );
          const finalPrompts = simulator.promptTokensAfterRestarts();
          const rows = REQUESTS.map(([arrival, prompt, output], i) => [
            outcomes.replica[i]!,
            outcomes.scheduledSeconds[i]!,
            outcomes.firstTokenSeconds[i]!,
            outcomes.completedSeconds[i]!,
            outcomes.scheduledSeconds[i]! - arrival,
            outcomes.executionSeconds[i]!,
            outcomes.modelExecutionSeconds[i]!,
            outcomes.preemptedSeconds[i]!,
            outcomes.restarts[i]!,
            finalPrompts[i]!,
            prompt + output - finalPrompts[i]!,
          ]);
          const result = {
            events: eventCount,
            batches: batchCount,
            num_blocks: replica!.kvBlocks,
          };
          const recorded = { config: caseOf(scheduler, result, router), outcomes: rows };
          await withCase(recorded, async (again) => {
            const report = replayGoldenCase(await readGoldenCase(again, new Map()));
            assert.ok(report.passed, JSON.stringify(report));
          });
        },
      ));
  }
}

Deno.test("readGoldenCase() plans memory as Vidur does for grouped queries and a pipeline", () =>
  withCase({ config: caseOf({ name: "vllm" }, {}) }, async (folder) => {
    const [replica] = (await readGoldenCase(folder, new Map())).replicas;
    // Weights per GPU and layer: 4096 x 128 x (16 + 2 x 4) + 4096 x 128 x 16 + 3 x 4096 x 7168
    // = 109,051,904 parameters, 16 layers, 2 bytes; a slot of 64 tokens: 2 x 2 x 128 x 4 x 64 x 32
    // bytes; floor((72 x 2^30 - 3,489,660,928) / 4,194,304) = 17,600 slots of 4 blocks, twice.
    assert.equal(replica!.kvBlocks, 17_600 * 4 * 2);
    assert.equal(replica!.maxBatchSize, 128);
  }));

function withCpuOverheads(config: Json): Json {
  const predictor = { ...config["predictor"] as Json, skip_cpu_overhead_modeling: false };
  return { ...config, predictor };
}

Deno.test("readGoldenCase() names the request that the recording lacks", () =>
  withCase(
    { config: caseOf({ name: "vllm" }, {}), outcomes: [Array<"">(11).fill("")] },
    async (folder) => {
      await assert.rejects(readGoldenCase(folder, new Map()), {
        name: "TraceError",
        message: /expected_requests\.csv.*no row of request 1/,
      });
    },
  ));

Deno.test("deno task golden refuses what it cannot read in one line, with exit code 2", async () => {
  const command = fileURLToPath(new URL("../../lib/cli/golden.ts", import.meta.url));
  const replay = async (folder: string): Promise<string> => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-read", command, folder],
    }).output();
    assert.equal(code, 2);
    return new TextDecoder().decode(stderr);
  };
  await withCase({ config: caseOf({ name: "vllm" }, {}) }, async (folder) => {
    await Deno.remove(join(folder, "requests.csv"));
    assert.match(await replay(folder), /^error: Cannot replay [^\n]*requests\.csv[^\n]*\n$/);
    await Deno.writeTextFile(join(folder, "case.json"), "{");
    assert.match(await replay(folder), /^error: Cannot replay [^\n]*JSON[^\n]*\n$/);
  });
});

Deno.test("readGoldenCase() refuses CPU overheads, of which there are no tables", () =>
  withCase({ config: withCpuOverheads(caseOf({ name: "vllm" }, {})) }, async (folder) => {
    await assert.rejects(readGoldenCase(folder, new Map()), {
      name: "ConfigError",
      message: /skip_cpu_overhead_modeling/,
    });
  }));
