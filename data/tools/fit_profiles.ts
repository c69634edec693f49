/**
 * Fits the profiles of `data/profiles` to published measurements.
 *
 *     deno run -A data/tools/fit_profiles.ts ../shared
 *
 * One profile alone is made by `deno task profile fit`, which this repeats for every table there is.
 */
import { existsSync } from "node:fs";
import { getModel } from "../../lib/hardware/mod.ts";
import { UsageError } from "../../lib/support/mod.ts";
import {
  fitBundleProfile,
  fitVidurProfile,
  PROFILE_METHOD,
  type TimingProfile,
  writeProfile,
} from "../../lib/timing/mod.ts";

const VIDUR = "Vidur (Microsoft): medians of an operation on one GPU of a DGX, or on one A40";
const SERVING = "LLMServingSim (KAIST CASYS): vLLM 0.19.0, bfloat16, one layer";

const VIDUR_MODELS = [
  "meta-llama/Llama-2-7b-hf",
  "meta-llama/Llama-2-70b-hf",
  "meta-llama/Meta-Llama-3-8B",
  "meta-llama/Meta-Llama-3-70B",
  "codellama/CodeLlama-34b-Instruct-hf",
  "internlm/internlm-20b",
  "Qwen/Qwen-72B",
  "microsoft/phi-2",
];
const NETWORKS = { a40: "a40_pairwise_nvlink", a100: "a100_dgx", h100: "h100_dgx" } as const;

/** The only public table of attention for GPUs of the catalogue. */
const A100_ATTENTION = "profiling/attention/a100_Llama-2-70b_tp2_flash_attention.csv";

const BUNDLES = [
  ["rtx4090", "RTX4090", "meta-llama/Llama-3.1-8B"],
  ["rtxpro6000", "RTXPRO6000", "meta-llama/Llama-3.1-8B"],
  ["rtxpro6000", "RTXPRO6000", "Qwen/Qwen3-32B"],
] as const;

async function write(
  profile: Omit<TimingProfile, "format" | "version" | "kind" | "licence" | "method">,
) {
  await writeProfile(new URL("../profiles", import.meta.url).pathname, {
    format: "signalbox-profile",
    version: 1,
    kind: "tables",
    licence: "MIT",
    method: PROFILE_METHOD,
    ...profile,
  });
}

async function fitVidur(shared: string, gpu: keyof typeof NETWORKS, model: string): Promise<void> {
  const find = (...paths: string[]): string | undefined =>
    paths.find((path) => existsSync(`${shared}/${path}`));
  const mlp = find(
    `profiling/newer/compute/${gpu}/${model}/mlp.csv`,
    `profiling/compute/${gpu}/${model}/mlp.csv`,
  );
  if (mlp === undefined) return;
  const network = `profiling/network/${NETWORKS[gpu]}`;
  const files = {
    mlp,
    attention: gpu === "a100" ? A100_ATTENTION : undefined,
    allReduce: find(
      `profiling/newer/network/${NETWORKS[gpu]}/all_reduce.csv`,
      `${network}/all_reduce.csv`,
    ),
    sendRecv: find(`${network}/send_recv.csv`),
  };
  const tables = Object.entries(files).filter(([, path]) => path !== undefined);
  const inShared = Object.fromEntries(tables.map(([key, path]) => [key, `${shared}/${path}`]));
  const degrees = await fitVidurProfile({ mlp: "", ...inShared }, getModel(model));
  const isUsed: Record<string, boolean> = {
    mlp: true,
    sendRecv: true,
    attention: degrees.some(({ attention }) => attention.kind !== "analytic"),
    allReduce: degrees.some(({ allReduce }) => allReduce !== undefined),
  };
  await write({
    gpu,
    model,
    source: VIDUR,
    tables: tables.filter(([key]) => isUsed[key]).map(([, path]) => path!),
    degrees,
  });
}

const [shared, ...rest] = Deno.args;
if (shared === undefined || rest.length > 0) {
  throw new UsageError("Cannot fit profiles: usage is fit_profiles.ts SHARED_FOLDER");
}
for (const model of VIDUR_MODELS) {
  for (const gpu of ["a40", "a100", "h100"] as const) await fitVidur(shared, gpu, model);
}
for (const [gpu, folder, model] of BUNDLES) {
  const bundle = `profiling/llmservingsim/${folder}/${model}`;
  await write({
    gpu,
    model,
    source: SERVING,
    tables: ["dense.csv", "per_sequence.csv", "attention.csv"].map((file) => `${bundle}/${file}`),
    degrees: [await fitBundleProfile(`${shared}/${bundle}`, 1)],
  });
}
