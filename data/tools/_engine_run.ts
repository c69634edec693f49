/**
 * Measured runs of a serving engine, and the same requests on the simulator.
 */
import { getGpu, getModel } from "../../lib/hardware/mod.ts";
import { schedulerSchema, Simulator } from "../../lib/simulator/mod.ts";
import { mean } from "../../lib/stats/mod.ts";
import { createAnalyticTimer, type GpuEfficiency } from "../../lib/timing/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";
import type { FitReport } from "./_fit.ts";
import { reportOf } from "./_fit.ts";

/** Latencies of each request in seconds, `[count]`. */
export interface Latencies {
  /** Time to first token. */
  readonly ttft: number[];
  /** Time per output token after the first. */
  readonly tpot: number[];
  /** End-to-end latency. */
  readonly e2e: number[];
}

/** One run of vLLM on one GPU. */
export interface EngineRun {
  readonly workload: Workload;
  readonly measured: Latencies;
  /** Requests that may run at a time. */
  readonly batchSizeCap: number;
  /** Tokens of one iteration. */
  readonly chunkTokens: number;
  /** KV blocks of 16 tokens, if the engine logged them; otherwise there were enough. */
  readonly kvBlocks: number;
}

/** One line of the log: tokens and time stamps in seconds by key. */
type LoggedRequest = Readonly<Record<string, number>>;

/** More blocks than 300 requests can need. */
const AMPLE_BLOCKS = 60_000;

/** Reads `requests.jsonl` and `meta.json` of a run. */
export async function readEngineRun(folder: string): Promise<EngineRun> {
  const requests = (await Deno.readTextFile(`${folder}/requests.jsonl`)).trim().split("\n")
    .map((line) => JSON.parse(line) as LoggedRequest)
    .sort((a, b) => a["queued_ts"]! - b["queued_ts"]!);
  const meta = JSON.parse(await Deno.readTextFile(`${folder}/meta.json`)) as Record<
    string,
    Readonly<Record<string, number>> | undefined
  >;
  const column = (key: string): Float64Array =>
    Float64Array.from(requests, (request) => request[key]!);
  const queued = column("queued_ts");
  const first = column("first_token_ts");
  const last = column("last_token_ts");
  const outputTokens = Int32Array.from(column("output_toks"));
  return {
    workload: {
      name: folder,
      count: requests.length,
      arrivalSeconds: queued.map((seconds) => seconds - queued[0]!),
      promptTokens: Int32Array.from(column("input_toks")),
      outputTokens,
    },
    measured: {
      ttft: Array.from(first, (seconds, i) => seconds - queued[i]!),
      tpot: Array.from(
        last,
        (seconds, i) => (seconds - first[i]!) / Math.max(1, outputTokens[i]! - 1),
      ),
      e2e: Array.from(last, (seconds, i) => seconds - queued[i]!),
    },
    batchSizeCap: meta["engine_kwargs"]!["max_num_seqs"]!,
    chunkTokens: meta["engine_kwargs"]!["max_num_batched_tokens"]!,
    kvBlocks: meta["kv_cache"]?.["num_gpu_blocks"] ?? AMPLE_BLOCKS,
  };
}

/** Replays a run on one simulated replica with the scheduler of vLLM V1. */
export function replay(
  run: EngineRun,
  gpu: string,
  model: string,
  efficiency: GpuEfficiency,
): Latencies {
  const { workload, batchSizeCap, chunkTokens, kvBlocks } = run;
  const result = new Simulator(workload, [{
    gpu,
    model,
    tensorParallel: 1,
    stageCount: 1,
    kvBlocks,
    maxBatchSize: batchSizeCap,
    scheduler: schedulerSchema.parse({ kind: "vllm_v1", batchSizeCap, chunkTokens }),
    timer: createAnalyticTimer({
      model: getModel(model),
      gpu: getGpu(gpu),
      tensorParallel: 1,
      pipelineStages: 1,
      efficiency,
    }),
  }]).run(() => 0);
  const { firstTokenSeconds, completedSeconds } = result.outcomes;
  const latencies: Latencies = { ttft: [], tpot: [], e2e: [] };
  for (let i = 0; i < workload.count; i++) {
    const [first, completed] = [firstTokenSeconds[i]!, completedSeconds[i]!];
    latencies.ttft.push(first - workload.arrivalSeconds[i]!);
    latencies.e2e.push(completed - workload.arrivalSeconds[i]!);
    latencies.tpot.push((completed - first) / Math.max(1, workload.outputTokens[i]! - 1));
  }
  return latencies;
}

/** CPU seconds an iteration that bring the replayed mean TPOT closest to the measured, >= 0. */
export function fitIterationSeconds(
  run: EngineRun,
  gpu: string,
  model: string,
  efficiency: GpuEfficiency,
): number {
  let low = 0;
  let high = 0.01;
  while (high - low > 1e-6) {
    const iterationSeconds = (low + high) / 2;
    const replayed = replay(run, gpu, model, { ...efficiency, iterationSeconds });
    if (mean(replayed.tpot) < mean(run.measured.tpot)) low = iterationSeconds;
    else high = iterationSeconds;
  }
  return Number(low.toPrecision(2));
}

/** Errors of single requests, with the error of the mean. */
export interface ReplayReport extends FitReport {
  readonly relativeErrorOfMean: number;
}

/** Compares a replay with the run. */
export function reportReplay(
  measured: Latencies,
  replayed: Latencies,
  source: string,
): ReplayReport[] {
  return (["ttft", "tpot", "e2e"] as const).map((name) => ({
    ...reportOf(
      replayed[name].map((seconds, i) => [seconds, measured[name][i]!] as const),
      `${name} of requests, run replayed on the simulator`,
      source,
    ),
    relativeErrorOfMean: Number((mean(replayed[name]) / mean(measured[name]) - 1).toFixed(3)),
  }));
}
