import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { getGpu, getModel } from "../../lib/hardware/mod.ts";
import { quantile } from "../../lib/stats/mod.ts";
import {
  type BatchShape,
  createBundleTimer,
  fitBundleProfile,
  getGpuEfficiency,
  readServingBundle,
  type ServingBundle,
} from "../../lib/timing/mod.ts";
import { batchShape } from "./_batch_shape.ts";
import { assertPartsSum, kindSeconds } from "./_operations.ts";
import { readBundleAttention } from "../../data/tools/_observations.ts";
import { assertNeverFaster } from "./_never_faster.ts";

const shared = fileURLToPath(new URL("../../../shared", import.meta.url));
const bundles = `${shared}/profiling/llmservingsim`;
const missing = !existsSync(bundles);

/** A made-up bundle: every time is a plain function, so that any batch can be computed by hand. */
const LAYERS = ["layernorm", "qkv_proj", "rotary_emb", "o_proj", "gate_up_proj", "act_fn"];
const DENSE = [...LAYERS, "down_proj", "embedding", "final_layernorm"];

/** Microseconds of attention: 2 a chunk token, 0.01 a query-key pair of the cache, 0.5 a decode token. */
function attentionMicroseconds(c: number, k: number, n: number, d: number): number {
  return 2 * c + 0.01 * c * k + 0.5 * n * d;
}

/** @param unit Chunks and contexts are multiples of 16 times this. */
function bundleFiles(unit = 1): Record<string, string> {
  const dense = DENSE.flatMap((layer) =>
    [1, 2, 4, 8].map((tokens) => `${layer},${tokens},${tokens}`)
  );
  const sequences = ["lm_head", "sampler"].flatMap((layer) =>
    [1, 4].map((n) => `${layer},${n},${n}`)
  );
  const attention: string[] = [];
  const scaled = (values: number[]): number[] => values.map((value) => unit * value);
  for (const c of scaled([0, 16, 32, 64])) {
    for (const k of c === 0 ? [0] : scaled([0, 16, 32])) {
      for (const n of [0, 1, 2, 4]) {
        for (const d of n === 0 ? [0] : scaled([16, 32, 64])) {
          if (c + n > 0) attention.push(`${c},${k},${n},${d},${attentionMicroseconds(c, k, n, d)}`);
        }
      }
    }
  }
  return {
    "dense.csv": `layer,tokens,time_us\n${dense.join("\n")}\n`,
    "per_sequence.csv": `layer,sequences,time_us\n${sequences.join("\n")}\n`,
    "attention.csv": `prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n${
      attention.join("\n")
    }\n`,
  };
}

/** Writes the files to a folder that exists during the call. */
async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Layers, ends and sampling of the made-up bundle with 10 layers: 8 runs a layer, norms twice. */
function denseMicroseconds(tokens: number, requests: number): number {
  return 10 * 8 * tokens + 2 * tokens + 2 * requests;
}

function assertMicroseconds(actualSeconds: number, expected: number): void {
  assert.ok(
    Math.abs(actualSeconds * 1e6 - expected) < 1e-6 * expected,
    `${actualSeconds} s, ${expected} us`,
  );
}

Deno.test("createBundleTimer() adds operations and interpolates attention in four numbers", async () => {
  const bundle = await withFiles(bundleFiles(), (path) => readServingBundle(path));
  const timer = createBundleTimer(bundle, { layers: 10, iterationSeconds: 0.25 });
  assert.equal(timer.overheadSeconds(batchShape([5], [])), 0.25);
  // On the grid, between its points, and beyond them: the made-up time is multilinear.
  const cases = [[16, 16, 2, 32], [20, 5, 3, 40], [100, 50, 6, 100], [24, 0, 0, 0], [0, 0, 3, 24]];
  for (const [c, k, n, d] of cases as [number, number, number, number][]) {
    const shape = batchShape(Array<number>(n).fill(d), c > 0 ? [[k, c]] : []);
    assertMicroseconds(
      timer.modelSeconds(shape, 0),
      denseMicroseconds(n + c, n + (c > 0 ? 1 : 0)) + 10 * attentionMicroseconds(c, k, n, d),
    );
  }
});

Deno.test("createBundleTimer() tells the parts of every time, which sum to it", async () => {
  const bundle = await withFiles(bundleFiles(), (path) => readServingBundle(path));
  const timer = createBundleTimer(bundle, { layers: 10, iterationSeconds: 0.25 });
  for (
    const batch of [batchShape([5, 40]), batchShape([20], [[0, 30]]), batchShape([], [[9, 3]])]
  ) {
    const { matmul, elementwise, sampling, cpu, ...rest } = kindSeconds(timer, batch, 0);
    // Four of the eight runs of a layer multiply matrices.
    assertMicroseconds(matmul, 10 * 4 * batch.totalTokens);
    assertMicroseconds(elementwise, (10 * 4 + 2) * batch.totalTokens);
    assertMicroseconds(sampling, 2 * batch.requestCount);
    assert.equal(cpu, 0.25);
    const sum = matmul + elementwise + sampling + Object.values(rest).reduce((a, b) => a + b, 0);
    assertMicroseconds(sum, timer.modelSeconds(batch, 0) * 1e6);
  }
});

Deno.test("createBundleTimer() divides tables over GPUs and adds two all-reduces a layer", async () => {
  const bundle = await withFiles(bundleFiles(), (path) => readServingBundle(path));
  const [model, gpu] = [getModel("meta-llama/Llama-3.1-8B"), getGpu("rtxpro6000")];
  const { linkSeconds, linkBandwidth } = getGpuEfficiency(gpu.name);
  const shape = batchShape([32, 32], [[0, 16]]);
  const layerMicroseconds = 10 * (8 * 18 + attentionMicroseconds(16, 0, 2, 32)) + 2 * 3;
  // A ring of two moves each activation once over the link, 18 tokens of 4096 x 2 bytes.
  const reduce = linkSeconds + 18 * 8192 / (gpu.linkBandwidthBytesPerSecond * linkBandwidth);
  const expected = layerMicroseconds / 2 + 2 * 18 + 2 * 32 * reduce * 1e6;
  const timer = createBundleTimer(bundle, { layers: 10, parallel: { degree: 2, model, gpu } });
  assertMicroseconds(timer.modelSeconds(shape, 0), expected);
  assertPartsSum(timer, 1);
  assert.deepEqual(timer.operationParts!().map(({ operations }) => operations.join("+")), [
    "input_layernorm+post_attention_layernorm",
    "attn_pre_proj",
    "attn_rope",
    "attn_post_proj",
    "mlp_up_proj",
    "mlp_activation",
    "mlp_down_proj",
    "attn_prefill+attn_decode+attn_kv_cache_save",
    "embedding",
    "final_layernorm",
    "attn_post_proj_all_reduce",
    "mlp_down_proj_all_reduce",
    "lm_head",
    "sampler",
    "schedule+prepare_inputs_e2e+sample_e2e+process_model_outputs+ray_comm_time",
  ]);
  const own = createBundleTimer({ ...bundle, tensorParallel: 2 }, {
    layers: 10,
    parallel: { degree: 2, model, gpu },
  });
  assertMicroseconds(own.modelSeconds(shape, 0), expected + layerMicroseconds / 2);
  const single = createBundleTimer(bundle, { layers: 10, parallel: { degree: 1, model, gpu } });
  assertMicroseconds(single.modelSeconds(shape, 0), layerMicroseconds + 2 * 18);
});

Deno.test("createBundleTimer() looks several prompt chunks up as one with as many pairs", async () => {
  const bundle = await withFiles(bundleFiles(), (path) => readServingBundle(path));
  const timer = createBundleTimer(bundle, { layers: 10 });
  // 20 (30 + 10) + 10 (4 + 5) = 890 pairs in 30 tokens: context 890 / 30 - 15 = 14.67.
  assertMicroseconds(
    timer.modelSeconds(batchShape([], [[30, 20], [4, 10]]), 0),
    denseMicroseconds(30, 2) + 10 * attentionMicroseconds(30, 890 / 30 - 15, 0, 0),
  );
  // Two fresh prompts of 32: 1024 pairs, fewer than one of 64 has: as one of sqrt(2048) tokens.
  assertMicroseconds(
    timer.modelSeconds(batchShape([], [[0, 32], [0, 32]]), 0),
    denseMicroseconds(64, 2) + 10 * attentionMicroseconds(Math.sqrt(2048), 0, 0, 0),
  );
});

Deno.test("createBundleTimer() moves unequal decodes towards the longest by the pooled share", async () => {
  const rows = [
    "0,n<=2,sr<=15%,kvB<=1k,kp=0,0.1,2",
    "0,n<=2,sr<=40%,kvB<=1k,kp=0,0.4,1",
    "0,n<=2,sr>70%,kvB<=1k,kp=0,9,50",
    "0,n<=4,sr<=15%,kvB<=1k,kp=0,-1,2",
    "16,n<=2,sr<=15%,kvB<=1k,kp=0,0.5,2",
  ];
  const skew = `pc,n_label,skew_rate_label,kv_big_label,kp_label,alpha,n_samples\n${
    rows.join("\n")
  }\n`;
  const files = { ...bundleFiles(), "skew_fit.csv": skew };
  const bundle = await withFiles(files, (path) => readServingBundle(path));
  const timer = createBundleTimer(bundle, { layers: 10 });
  const flat = createBundleTimer(bundle, { layers: 10, useSkew: false });
  const extra = (shape: BatchShape): number =>
    (timer.modelSeconds(shape, 0) - flat.modelSeconds(shape, 0)) * 1e6;
  // Contexts 20 and 60: at the longest, 2 x 20 tokens more, 0.5 us each in 10 layers; share
  // (2 x 0.1 + 0.4) / 3 alone and 0.5 beside a chunk.
  assert.ok(Math.abs(extra(batchShape([20, 60], [])) - 0.2 * 200) < 1e-6);
  assert.ok(Math.abs(extra(batchShape([20, 60], [[0, 16]])) - 0.5 * 200) < 1e-6);
  // Negative shares count as 0; three decodes are half-way between 0.2 and 0.
  assert.ok(Math.abs(extra(batchShape([16, 16, 16, 32], []))) < 1e-6);
  assert.ok(Math.abs(extra(batchShape([16, 16, 46], [])) - 0.1 * 10 * 0.5 * 3 * 20) < 1e-6);
  assert.equal(extra(batchShape([40], [])), 0);
});

const SKEW = "pc,n_label,skew_rate_label,kv_big_label,kp_label,alpha,n_samples\n" +
  "0,n<=2,sr<=15%,kvB<=1k,kp=0,0.1,2\n16,n<=2,sr<=15%,kvB<=1k,kp=0,0.5,2\n";

Deno.test("readServingBundle() uses a skew fit unless meta.yaml says that it is not enabled", async () => {
  const share = async (meta: Record<string, string>): Promise<number> => {
    const files = { ...bundleFiles(), "skew_fit.csv": SKEW, ...meta };
    return (await withFiles(files, (folder) => readServingBundle(folder))).skewShare(2, true);
  };
  assert.equal(await share({}), 0.5);
  assert.equal(await share({ "meta.yaml": "gpu: any\n" }), 0.5);
  assert.equal(await share({ "meta.yaml": "skew_fit:\n  enabled: true\n" }), 0.5);
  assert.equal(await share({ "meta.yaml": "skew_fit:\n  enabled: false\n" }), 0);
  for (const text of ["skew_fit:\n  enabled: maybe\n", "skew_fit: [\n"]) {
    await assert.rejects(share({ "meta.yaml": text }), {
      name: "TraceError",
      message: /meta\.yaml: /,
    });
  }
});

Deno.test("readServingBundle() takes the tables of a tensor-parallel degree from its folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/meta.yaml`, "skew_fit:\n  enabled: false\n");
    await Deno.mkdir(`${folder}/tp2`);
    for (const [name, text] of Object.entries({ ...bundleFiles(), "skew_fit.csv": SKEW })) {
      await Deno.writeTextFile(`${folder}/tp2/${name}`, text);
    }
    const bundle = await readServingBundle(folder, 2);
    assert.deepEqual([bundle.tensorParallel, bundle.skewShare(2, true)], [2, 0]);
    await assert.rejects(readServingBundle(folder), { message: /dense\.csv: / });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const flat = await withFiles(bundleFiles(), (path) => readServingBundle(path, 2));
  assert.equal(flat.tensorParallel, 1);
});

Deno.test("readServingBundle() names the file that cannot be used", async () => {
  const files = bundleFiles();
  const refuse = async (changes: Record<string, string>, message: RegExp): Promise<void> => {
    await assert.rejects(withFiles({ ...files, ...changes }, (path) => readServingBundle(path)), {
      name: "TraceError",
      message,
    });
  };
  const dense = files["dense.csv"]!;
  await refuse(
    { "dense.csv": dense.replace("time_us", "us") },
    /dense.csv, line 1: .* column time_us/,
  );
  await refuse(
    { "dense.csv": dense.replace("qkv_proj,2,2", "qkv_proj,2,x") },
    /must be a finite number.*"x"/,
  );
  await refuse({ "dense.csv": dense.replace("qkv_proj,2,2\n", "") }, /no time of qkv_proj at 2$/);
  await refuse({ "dense.csv": `${dense}warp,1,1\n` }, /unknown operation "warp"/);
  await refuse({ "dense.csv": "layer,tokens,time_us\n" }, /there must be at least one row/);
  await refuse({ "per_sequence.csv": "layer,sequences,time_us\na,1\n" }, /there must be 3 fields/);
  const attention = files["attention.csv"]!;
  const [header] = attention.split("\n");
  await refuse(
    { "attention.csv": `${header}\n32,0,0,0,5\n32,0,1,16,7\n0,0,1,16,2\n` },
    /contextTokens must be > 0 in a measured batch, current values are 0/,
  );
  await assert.rejects(
    withFiles(
      { ...files, "attention.csv": attention.replace("32,16,0,0,", "33,16,0,0,") },
      readServingBundle,
    ),
    { name: "TraceError", message: /every batch of the doubling grid must be measured/ },
  );
  await assert.rejects(readServingBundle("/no/such/folder"), {
    name: "TraceError",
    message: /dense.csv: the file cannot be read/,
  });
});

Deno.test("fitBundleProfile() keeps few values of each axis, wherever it begins to double", async () => {
  for (const unit of [1, 3]) {
    const degree = await withFiles(bundleFiles(unit), (folder) => fitBundleProfile(folder, 1));
    const { attention } = degree;
    assert.ok(attention.kind === "joint");
    // Linear in everything, so that the ends of an axis do.
    assert.deepEqual(attention.chunkTokens, [0, 16 * unit, 64 * unit]);
    assert.deepEqual(attention.contextTokens, [0, 16 * unit, 32 * unit]);
    assert.deepEqual(attention.decodeCounts, [0, 1, 4]);
    assert.deepEqual(attention.decodeContextTokens, [0, 16 * unit, 64 * unit]);
    assert.equal(attention.error.max, 0);
  }
});

Deno.test("fitBundleProfile() takes attention that was measured nowhere else than at its knots", async () => {
  const files = bundleFiles();
  const rows = files["attention.csv"]!.split("\n")
    .filter((row) => !/^32,|^\d+,\d+,2,|,32,[\d.]+$/.test(row));
  const degree = await withFiles(
    { ...files, "attention.csv": rows.join("\n") },
    (folder) => fitBundleProfile(folder, 1),
  );
  assert.ok(degree.attention.kind === "joint");
  assert.equal(degree.attention.error.points, rows.filter((row) => /^\d/.test(row)).length);
  assert.equal(degree.attention.error.max, 0);
});

async function readReal(gpu: string): Promise<ServingBundle> {
  return await readServingBundle(`${bundles}/${gpu}/meta-llama/Llama-3.1-8B`);
}

Deno.test({
  name: "readServingBundle() reproduces nearly all measured attention times",
  ignore: missing,
  async fn() {
    for (const gpu of ["RTX4090", "RTXPRO6000"]) {
      const bundle = await readReal(gpu);
      const model = "meta-llama/Llama-3.1-8B";
      const rows = await readBundleAttention(`${bundles}/${gpu}/${model}`, model);
      const errors = rows.map(({ batch: shape, seconds }) =>
        Math.abs(
          bundle.attentionSeconds(
                shape.prefillChunkTokens[0]!,
                shape.prefillContextTokens[0]!,
                shape.decodeCount,
                shape.maxDecodeContextTokens,
              ) / seconds - 1,
        )
      );
      // Errors come from points off the doubling grid and from noise that was made monotone.
      assert.ok(quantile(errors, 0.5) < 0.01, `${gpu} median ${quantile(errors, 0.5)}`);
      assert.ok(quantile(errors, 0.9) < 0.08, `${gpu} p90 ${quantile(errors, 0.9)}`);
    }
  },
});

Deno.test({
  name: "createBundleTimer() never gets faster with longer contexts or chunks on real profiles",
  ignore: missing,
  async fn() {
    for (const gpu of ["RTX4090", "RTXPRO6000"]) {
      const timer = createBundleTimer(await readReal(gpu), { layers: 32 });
      assertNeverFaster(timer, { stages: [0], maxChunk: 5000 });
    }
  },
});
