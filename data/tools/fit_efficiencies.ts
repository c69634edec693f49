/**
 * Fits the analytic timer's coefficients to measurements and writes `data/hardware/efficiencies.json`.
 *
 *     deno run -A data/tools/fit_efficiencies.ts ../shared
 *
 * Every group of coefficients is fitted alone, with all others free of cost, by Levenberg-Marquardt.
 * The model that is fitted is the shipped timer itself.
 */
import { readEngineRun } from "../../lib/fidelity/mod.ts";
import { getGpu } from "../../lib/hardware/mod.ts";
import { mean } from "../../lib/stats/mod.ts";
import { UsageError, writeFileAtomic } from "../../lib/support/mod.ts";
import type { GpuEfficiency } from "../../lib/timing/mod.ts";
import { fitIterationSeconds, replay, reportReplay } from "./_engine_run.ts";
import {
  fitLayers,
  fitRelative,
  type FitReport,
  FREE,
  pairIterations,
  pairLayers,
  reportOf,
} from "./_fit.ts";
import {
  type LayerTables,
  type Observation,
  readBundleAttention,
  readBundleLayers,
  readSplitwise,
  readVidurAttention,
  readVidurCollectives,
  readVidurLayers,
} from "./_observations.ts";

type Coefficients = Partial<GpuEfficiency>;

/** Coefficients with the errors of their fit. */
interface Fit {
  readonly coefficients: Coefficients;
  readonly reports: readonly FitReport[];
}

/** One GPU of the result. */
interface Entry {
  readonly gpu: string;
  readonly efficiency: GpuEfficiency;
  /** Errors on what was fitted. */
  readonly fits: readonly FitReport[];
  /** Errors on what was not. */
  readonly checks: readonly FitReport[];
  /** What was not measured. */
  readonly assumptions: readonly string[];
}

/** Sums the fixed times of groups that were fitted apart, takes everything else as it is. */
function combine(parts: readonly Coefficients[]): GpuEfficiency {
  const layerSeconds = parts.reduce((sum, part) => sum + (part.layerSeconds ?? 0), 0);
  const combined: GpuEfficiency = Object.assign({}, FREE, ...parts, { layerSeconds });
  return Object.fromEntries(
    Object.entries(combined).map(([name, value]) => [name, Number(value.toPrecision(4))]),
  ) as unknown as GpuEfficiency;
}

/** Fits all kernels but attention. */
function fitTables(
  gpu: string,
  { matmul, elementwise }: LayerTables,
): [Coefficients, Coefficients] {
  return [
    fitLayers(gpu, { matmulCompute: 0.8, matmulMemory: 0.8, layerSeconds: 1e-5 }, matmul),
    fitLayers(gpu, { elementwiseMemory: 0.8, layerSeconds: 1e-5 }, elementwise),
  ];
}

/** A layer without attention: both tables together. */
function layerTotals({ matmul, elementwise }: LayerTables): Observation[] {
  return matmul.map((row, i) => ({ ...row, seconds: row.seconds + elementwise[i]!.seconds }));
}

function reportTables(
  gpu: string,
  tables: LayerTables,
  [matmul, elementwise]: [Coefficients, Coefficients],
  source: string,
): FitReport[] {
  const pairs = (part: Coefficients, rows: readonly Observation[]) =>
    pairLayers(gpu, { ...FREE, ...part }, rows);
  return [
    reportOf(pairs(matmul, tables.matmul), "matrix products of a layer", source),
    reportOf(
      pairs(elementwise, tables.elementwise),
      "norms, rotary embedding and activation of a layer",
      source,
    ),
    reportOf(
      pairLayers(gpu, combine([matmul, elementwise]), layerTotals(tables)),
      "a layer without attention",
      source,
    ),
  ];
}

/** Predicts each model's layers from a fit to all other models. */
function checkLeftOut(gpu: string, tables: LayerTables, source: string): FitReport {
  const models = [...new Set(tables.matmul.map(({ model }) => model))];
  const pairs = models.flatMap((model) => {
    const keep = (rows: readonly Observation[]): Observation[] =>
      rows.filter((row) => row.model !== model);
    const others = { matmul: keep(tables.matmul), elementwise: keep(tables.elementwise) };
    const efficiency = combine(fitTables(gpu, others));
    const rows = layerTotals(tables).filter((row) => row.model === model);
    return pairLayers(gpu, efficiency, rows);
  });
  return reportOf(pairs, "a layer without attention, of a model that was left out", source);
}

/** Fits attention: prefill and decode on batches of one kind, then what mixing them costs. */
function fitAttention(gpu: string, observations: readonly Observation[], source: string): Fit {
  const pick = (prefill: boolean, decode: boolean): Observation[] =>
    observations.filter(({ batch }) =>
      (batch.prefillCount > 0) === prefill && (batch.decodeCount > 0) === decode
    );
  const [prefills, decodes, mixed] = [pick(true, false), pick(false, true), pick(true, true)];
  const pure = fitLayers(gpu, {
    prefillCompute: 0.6,
    prefillMaskedShare: 0.5,
    prefillContextSeconds: 2e-8,
    decodeMemory: 0.8,
    layerSeconds: 8e-6,
  }, [...prefills, ...decodes]);
  const base = { ...FREE, ...pure };
  const mixing = mixed.length > 0 ? fitLayers(gpu, { mixedDecodeCost: 1.5 }, mixed, base) : {};
  const efficiency = { ...base, ...mixing };
  const kinds = [["prompt chunk", prefills], ["decodes", decodes], ["both", mixed]] as const;
  return {
    coefficients: { ...pure, mixedDecodeCost: efficiency.mixedDecodeCost },
    reports: kinds.filter(([, rows]) => rows.length > 0).map(([kind, rows]) =>
      reportOf(pairLayers(gpu, efficiency, rows), `attention of a layer, ${kind}`, source)
    ),
  };
}

/** Fits latency and bandwidth of collectives. */
async function fitLink(
  gpu: string,
  path: string,
  collective: "all_reduce" | "send_recv",
  source: string,
): Promise<Fit> {
  const { linkBandwidthBytesPerSecond } = getGpu(gpu);
  const rows = (await readVidurCollectives(path, collective)).map((row) => ({
    seconds: row.seconds,
    transferSeconds: row.bytes / linkBandwidthBytesPerSecond *
      (collective === "all_reduce" ? 2 * (row.workers - 1) / row.workers : 1),
  }));
  const predict = ({ linkSeconds, linkBandwidth }: Coefficients) => (index: number): number =>
    linkSeconds! + rows[index]!.transferSeconds / linkBandwidth!;
  const coefficients = fitRelative(
    { linkSeconds: 1e-5, linkBandwidth: 0.5 },
    rows.map(({ seconds }) => seconds),
    predict,
  );
  const predictor = predict(coefficients);
  const pairs = rows.map(({ seconds }, i) => [predictor(i), seconds] as const);
  return { coefficients, reports: [reportOf(pairs, collective, source)] };
}

const BUNDLE_MODEL = "meta-llama/Llama-3.1-8B";
const BUNDLES = [["rtx4090", "RTX4090"], ["rtxpro6000", "RTXPRO6000"]] as const;

/** What is assumed of the link between two GPUs, and why. */
const LINKS = {
  rtx4090: {
    coefficients: { linkSeconds: 3e-5, linkBandwidth: 0.7 },
    reason: "linkSeconds and linkBandwidth: not measured",
  },
  rtxpro6000: {
    // 15.92 of the 64 GB/s of PCIe 5; two ring steps of 6.6 us.
    coefficients: { linkSeconds: 1.32e-5, linkBandwidth: 0.2488 },
    reason:
      "linkSeconds and linkBandwidth: NCCL between two GPUs inside a CUDA graph, 15.92 GB/s and " +
      "6.6 us a ring step, as LLMServingSim's changelog states them",
  },
};

/** Fits the GPUs that have LLMServingSim profiles and a measured vLLM run. */
async function fitBundles(shared: string): Promise<Entry[]> {
  return await Promise.all(BUNDLES.map(async ([gpu, folder]) => {
    const bundle = `profiling/llmservingsim/${folder}/${BUNDLE_MODEL}`;
    const tables = await readBundleLayers(`${shared}/${bundle}`, BUNDLE_MODEL);
    const parts = fitTables(gpu, tables);
    const rows = await readBundleAttention(`${shared}/${bundle}`, BUNDLE_MODEL);
    const attention = fitAttention(gpu, rows, `${bundle}/attention.csv`);
    const fitted = combine([...parts, attention.coefficients, LINKS[gpu].coefficients]);
    const run = `measured/${folder}_Llama-3.1-8B`;
    const engineRun = await readEngineRun(`${shared}/${run}`);
    const iterationSeconds = fitIterationSeconds(engineRun, fitted);
    const efficiency = { ...fitted, iterationSeconds };
    const replayed = replay(engineRun, efficiency);
    return {
      gpu,
      efficiency,
      fits: [
        ...reportTables(gpu, tables, parts, `${bundle}/dense.csv`),
        ...attention.reports,
      ],
      checks: reportReplay(engineRun.measured, replayed, `${run}/requests.jsonl`),
      assumptions: [
        "iterationSeconds: what brings the mean tpot of the run under checks closest to measured",
        LINKS[gpu].reason,
      ],
    };
  }));
}

/** Fits the GPUs that have Vidur profiles. */
async function fitVidur(shared: string, iterationSeconds: number): Promise<Entry[]> {
  const attentionFile = "profiling/attention/a100_Llama-2-70b_tp2_flash_attention.csv";
  const attentionRows = await readVidurAttention(
    `${shared}/${attentionFile}`,
    "meta-llama/Llama-2-70b-hf",
  );
  const attention = fitAttention("a100", attentionRows, attentionFile);
  const links = [
    ["a40", "send_recv", "a40_pairwise_nvlink", undefined],
    ["a100", "all_reduce", "a100_dgx", "a100-80gb"],
    ["h100", "all_reduce", "h100_dgx", "h100-80gb"],
  ] as const;
  return await Promise.all(links.map(async ([gpu, collective, network, splitwise]) => {
    const source = `profiling/compute/${gpu}/*/mlp.csv`;
    const tables = await readVidurLayers(`${shared}/profiling/compute/${gpu}`);
    const parts = fitTables(gpu, tables);
    const path = `profiling/network/${network}/${collective}.csv`;
    const link = await fitLink(gpu, `${shared}/${path}`, collective, path);
    const efficiency = combine([
      ...parts,
      attention.coefficients,
      link.coefficients,
      { iterationSeconds },
    ]);
    const checks = [checkLeftOut(gpu, tables, source)];
    if (splitwise !== undefined) {
      const file = "measured/splitwise_perf_model.csv";
      const { prompts, decodes } = await readSplitwise(`${shared}/${file}`, splitwise);
      checks.push(
        reportOf(pairIterations(gpu, efficiency, prompts), "Llama-2-70b prompts, whole", file),
        reportOf(pairIterations(gpu, efficiency, decodes), "Llama-2-70b decodes, whole", file),
      );
    }
    return {
      gpu,
      efficiency,
      fits: [
        ...reportTables(gpu, tables, parts, source),
        ...(gpu === "a100" ? attention.reports : []),
        ...link.reports,
      ],
      checks,
      assumptions: [
        ...(gpu === "a100" ? [] : ["attention: the a100's fractions and latencies"]),
        ...(gpu === "a40" ? ["all-reduces reach the bandwidth of send_recv"] : []),
        "mixedDecodeCost: prompt chunks and decodes run in kernels of their own",
        "iterationSeconds: the mean of the rtx4090's and the rtxpro6000's",
      ],
    };
  }));
}

const [shared, ...rest] = Deno.args;
if (shared === undefined || rest.length > 0) {
  throw new UsageError("Cannot fit efficiencies: usage is fit_efficiencies.ts SHARED_FOLDER");
}
const bundles = await fitBundles(shared);
const iterationSeconds = mean(bundles.map(({ efficiency }) => efficiency.iterationSeconds));
const document = {
  description:
    "Coefficients of the analytic timer, fitted to measured times. Relative errors are " +
    "|predicted / measured - 1|. Sources are public: Vidur (MIT, Microsoft), LLMServingSim (MIT, " +
    "KAIST CASYS) and Splitwise (MIT, Microsoft) profiles and measurements.",
  method: "data/tools/fit_efficiencies.ts",
  gpus: [...await fitVidur(shared, iterationSeconds), ...bundles],
};
await writeFileAtomic(
  new URL("../hardware/efficiencies.json", import.meta.url).pathname,
  `${JSON.stringify(document, null, 2)}\n`,
);
