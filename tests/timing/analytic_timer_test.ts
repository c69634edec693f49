import assert from "node:assert/strict";
import fc from "fast-check";
import { getGpu, getModel, gpuNames, type ModelSpec } from "../../lib/hardware/mod.ts";
import {
  type BatchShape,
  type BatchTimer,
  createAnalyticTimer,
  type GpuEfficiency,
} from "../../lib/timing/mod.ts";
import { assertPartsSum, partSeconds } from "./_operations.ts";

/** Everything at peak and no fixed cost, so that times can be computed by hand. */
const IDEAL: GpuEfficiency = {
  matmulCompute: 1,
  matmulMemory: 1,
  elementwiseMemory: 1,
  prefillCompute: 1,
  prefillMaskedShare: 0,
  prefillContextSeconds: 0,
  decodeMemory: 1,
  mixedDecodeCost: 1,
  layerSeconds: 0,
  linkSeconds: 0,
  linkBandwidth: 1,
  iterationSeconds: 0.001,
};

/** Llama 2 with eight MLPs of which a token passes two. */
const EXPERTS: ModelSpec = {
  ...getModel("meta-llama/Llama-2-7b-hf"),
  mlpHiddenDim: 0,
  experts: { count: 8, perToken: 2, hiddenDim: 11008 },
};

interface Prefill {
  readonly context: number;
  readonly chunk: number;
}

function shape(decodeContexts: readonly number[], prefills: readonly Prefill[]): BatchShape {
  return {
    requestCount: decodeContexts.length + prefills.length,
    totalTokens: decodeContexts.length + prefills.reduce((sum, { chunk }) => sum + chunk, 0),
    decodeCount: decodeContexts.length,
    decodeContextTokens: decodeContexts.reduce((sum, context) => sum + context, 0),
    maxDecodeContextTokens: Math.max(0, ...decodeContexts),
    prefillCount: prefills.length,
    prefillContextTokens: prefills.map(({ context }) => context),
    prefillChunkTokens: prefills.map(({ chunk }) => chunk),
  };
}

function llama7b(efficiency?: GpuEfficiency): BatchTimer {
  return createAnalyticTimer({
    model: getModel("meta-llama/Llama-2-7b-hf"),
    gpu: getGpu("a100"),
    tensorParallel: 1,
    pipelineStages: 1,
    ...(efficiency === undefined ? {} : { efficiency }),
  });
}

function assertNear(actual: number, expected: number, relative: number): void {
  assert.ok(Math.abs(actual / expected - 1) < relative, `${actual} against ${expected}`);
}

Deno.test("createAnalyticTimer() reads every weight and cached key once to decode", () => {
  // 32 layers x 202,375,168 weights and 32,000 x 4,096 of the output matrix, 2 bytes each; 8
  // contexts of 8,001 tokens at 16 KiB a layer; 2,039 GB/s. The rest is below 1 %: 8 tokens of
  // products, elementwise traffic and logits.
  const bytes = 2 * (32 * 202375168 + 32000 * 4096) + 32 * 8 * 8001 * 16384;
  const contexts = Array<number>(8).fill(8000);
  assertNear(llama7b(IDEAL).modelSeconds(shape(contexts, []), 0), bytes / 2039e9, 0.01);
});

Deno.test("createAnalyticTimer() counts the FLOPs of a long prompt", () => {
  // 2 FLOP a weight and token, and 4 d FLOP for each of the 4096 x 4097 / 2 query-key pairs of each
  // of 32 heads in 32 layers, d = 128. Elementwise traffic of 32 layers: 2 bytes x (8 x 4096 norms +
  // 2 x 64 x 128 rotary + 3 x 11008 activation) a token.
  const flops = 2 * 32 * 202375168 * 4096 + 32 * 32 * 4 * 128 * (4096 * 4097 / 2);
  const bytes = 32 * 2 * (8 * 4096 + 2 * 64 * 128 + 3 * 11008) * 4096;
  // One row of logits costs the read of the output matrix.
  const expected = flops / 312e12 + (bytes + 2 * 32000 * 4096) / 2039e9;
  assertNear(
    llama7b(IDEAL).modelSeconds(shape([], [{ context: 0, chunk: 4096 }]), 0),
    expected,
    1e-3,
  );
});

Deno.test("createAnalyticTimer() charges two all-reduces a layer under tensor parallelism", () => {
  const model = getModel("meta-llama/Llama-2-70b-hf");
  const batch = shape([], [{ context: 0, chunk: 512 }]);
  const options = { model, gpu: getGpu("a100"), tensorParallel: 4, pipelineStages: 1 };
  const free = createAnalyticTimer({ ...options, efficiency: { ...IDEAL, linkBandwidth: 1e9 } });
  const slow = createAnalyticTimer({ ...options, efficiency: { ...IDEAL, linkSeconds: 1e-5 } });
  // 160 all-reduces: 10 us + 2 x 3/4 x 512 x 8192 x 2 bytes at 300 GB/s each.
  const expected = 160 * (1e-5 + 1.5 * 512 * 8192 * 2 / 300e9);
  assertNear(slow.modelSeconds(batch, 0) - free.modelSeconds(batch, 0), expected, 1e-6);
});

Deno.test("createAnalyticTimer() charges decodes more beside a prompt chunk", () => {
  const cost = 2.5;
  const timer = llama7b({ ...IDEAL, mixedDecodeCost: cost });
  const chunk = [{ context: 0, chunk: 16 }];
  const kvSeconds = 32 * 16384 * (500 + 1) / 2039e9;
  const alone = timer.modelSeconds(shape([500], []), 0);
  assertNear(alone, llama7b(IDEAL).modelSeconds(shape([500], []), 0), 1e-12);
  const more = timer.modelSeconds(shape([500], chunk), 0) -
    llama7b(IDEAL).modelSeconds(shape([500], chunk), 0);
  assertNear(more, (cost - 1) * kvSeconds, 1e-9);
});

Deno.test("createAnalyticTimer() can charge masked pairs and a latency per context token", () => {
  const batch = shape([], [{ context: 1000, chunk: 100 }]);
  const base = llama7b(IDEAL).modelSeconds(batch, 0);
  const masked = llama7b({ ...IDEAL, prefillMaskedShare: 1 }).modelSeconds(batch, 0);
  // 100 x 99 / 2 more pairs, 4 x 128 FLOP each, in 32 heads of 32 layers.
  assertNear(masked - base, 32 * 32 * 4 * 128 * 4950 / 312e12, 1e-9);
  const latency = llama7b({ ...IDEAL, prefillContextSeconds: 1e-3 }).modelSeconds(batch, 0);
  // The latency of 1,100 context tokens in 32 layers dwarfs the rest.
  assertNear(latency, 32 * 1100 * 1e-3, 0.01);
});

Deno.test("createAnalyticTimer() splits the layers over stages and sends activations on", () => {
  const options = { model: getModel("meta-llama/Llama-2-7b-hf"), gpu: getGpu("a100") };
  const efficiency = { ...IDEAL, linkSeconds: 1e-4 };
  const whole = createAnalyticTimer({
    ...options,
    efficiency,
    tensorParallel: 1,
    pipelineStages: 1,
  });
  const split = createAnalyticTimer({
    ...options,
    efficiency,
    tensorParallel: 1,
    pipelineStages: 4,
  });
  const batch = shape([100, 200], [{ context: 0, chunk: 30 }]);
  const stages = [0, 1, 2, 3].map((stage) => split.modelSeconds(batch, stage));
  assert.equal(stages[0], stages[2]);
  // Three transfers of 32 tokens x 4096 x 2 bytes at 300 GB/s, with 0.1 ms latency each.
  const transfers = 3 * (1e-4 + 32 * 8192 / 300e9);
  const sum = stages.reduce((total, seconds) => total + seconds, 0);
  assertNear(sum, whole.modelSeconds(batch, 0) + transfers, 1e-12);
});

Deno.test("createAnalyticTimer() charges CPU work per iteration", () => {
  assertNear(llama7b(IDEAL).overheadSeconds(shape([1, 2, 3], [])), 0.001, 1e-12);
});

Deno.test("createAnalyticTimer() refuses a GPU without efficiencies and a bad split", () => {
  const model = getModel("meta-llama/Llama-2-7b-hf");
  const gpu = { ...getGpu("a100"), name: "abacus" };
  const options = { model, gpu, tensorParallel: 1, pipelineStages: 1 };
  assert.throws(() => createAnalyticTimer(options), {
    name: "ConfigError",
    message: /gpu must be one of a40, a100, .*, current value is "abacus"/,
  });
  assert.throws(() => createAnalyticTimer({ ...options, gpu: getGpu("a100"), tensorParallel: 5 }), {
    name: "ConfigError",
    field: "tensorParallel",
  });
});

const contexts = fc.array(fc.integer({ min: 1, max: 130_000 }), { maxLength: 64 });
const prefills = fc.array(
  fc.record({
    context: fc.integer({ min: 0, max: 130_000 }),
    chunk: fc.integer({ min: 1, max: 16_384 }),
  }),
  { maxLength: 8 },
);
const timers = gpuNames.flatMap((gpu) =>
  (["meta-llama/Llama-3.1-8B", "Qwen/Qwen-72B"] as const).map((model) => ({
    gpu,
    timer: createAnalyticTimer({
      model: getModel(model),
      gpu: getGpu(gpu),
      tensorParallel: model === "Qwen/Qwen-72B" ? 4 : 1,
      pipelineStages: 2,
    }),
  }))
);

Deno.test("createAnalyticTimer() gives positive and finite times for any batch", () => {
  fc.assert(fc.property(contexts, prefills, (decodes, chunks) => {
    fc.pre(decodes.length + chunks.length > 0);
    const batch = shape(decodes, chunks);
    for (const { timer, gpu } of timers) {
      for (const stage of [0, 1]) {
        const seconds = timer.modelSeconds(batch, stage);
        assert.ok(seconds > 0 && Number.isFinite(seconds), gpu);
      }
      const overhead = timer.overheadSeconds(batch);
      assert.ok(overhead >= 0 && Number.isFinite(overhead), gpu);
    }
  }));
});

Deno.test("createAnalyticTimer() never gets faster with more tokens, context or requests", () => {
  const growth = fc.record({ which: fc.nat(), by: fc.integer({ min: 1, max: 5000 }) });
  fc.assert(fc.property(contexts, prefills, growth, (decodes, chunks, { which, by }) => {
    fc.pre(decodes.length + chunks.length > 0);
    const grown = [
      shape([...decodes, by], chunks),
      shape(decodes, [...chunks, { context: which % 9000, chunk: by }]),
    ];
    if (decodes.length > 0) {
      const at = which % decodes.length;
      grown.push(shape(decodes.map((context, i) => i === at ? context + by : context), chunks));
    }
    if (chunks.length > 0) {
      const at = which % chunks.length;
      const change = (part: Partial<Prefill>): BatchShape =>
        shape(decodes, chunks.map((prefill, i) => i === at ? { ...prefill, ...part } : prefill));
      grown.push(
        change({ context: chunks[at]!.context + by }),
        change({ chunk: chunks[at]!.chunk + by }),
      );
    }
    const before = shape(decodes, chunks);
    for (const { timer, gpu } of timers) {
      for (const stage of [0, 1]) {
        for (const after of grown) {
          // Rounding of sums may lose the last bits.
          const limit = timer.modelSeconds(before, stage) * (1 - 1e-12);
          assert.ok(timer.modelSeconds(after, stage) >= limit, `${gpu} stage ${stage}`);
        }
      }
    }
  }));
});

Deno.test("createAnalyticTimer() tells the parts of every time, which sum to it", () => {
  for (
    const model of [getModel("meta-llama/Llama-2-7b-hf"), getModel("microsoft/phi-2"), EXPERTS]
  ) {
    for (const [tensorParallel, pipelineStages] of [[1, 1], [2, 1], [1, 4], [4, 2]] as const) {
      if (tensorParallel > 1 && !model.tensorParallel) continue;
      const options = { model, gpu: getGpu("a100"), tensorParallel, pipelineStages };
      assertPartsSum(createAnalyticTimer(options), pipelineStages);
    }
  }
});

Deno.test("createAnalyticTimer() divides matrix products like their weights, unless there are experts", () => {
  const model = getModel("meta-llama/Llama-2-7b-hf");
  const options = { model, gpu: getGpu("a100"), tensorParallel: 2, pipelineStages: 1 };
  const seconds = partSeconds(createAnalyticTimer(options), shape([10, 400], []), 0);
  // Of 4096 x 4096 weights: queries, keys and values 3, output 1; of 4096 x 11008: gate and up 2.
  const close = (part: string, share: number): void =>
    assert.ok(Math.abs(seconds[part]! / seconds.attn_post_proj! / share - 1) < 1e-12, part);
  close("attn_pre_proj", 3);
  close("mlp_up_proj", 2 * 11008 / 4096);
  close("mlp_down_proj", 11008 / 4096);
  assert.equal(seconds.attn_post_proj_all_reduce, seconds.mlp_down_proj_all_reduce);
  assert.equal(seconds["attn_prefill+attn_kv_cache_save"], 0);
  const experts = createAnalyticTimer({ ...options, model: EXPERTS });
  const matmuls = experts.operationParts!().filter(({ kind }) => kind === "matmul");
  assert.deepEqual(matmuls.map(({ operations }) => operations), [
    ["attn_pre_proj", "attn_post_proj", "mlp_up_proj", "mlp_down_proj"],
  ]);
});
