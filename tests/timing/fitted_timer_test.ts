import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { getGpu, getModel } from "../../lib/hardware/mod.ts";
import { quantile } from "../../lib/stats/mod.ts";
import {
  type BatchTimer,
  createAnalyticTimer,
  createFittedTimer,
  createTimer,
  fitVidurProfile,
  getGpuEfficiency,
  listShippedProfiles,
  loadProfile,
  loadShippedProfile,
  type Operation,
  operations,
  profileFileName,
  profileSchema,
  readServingBundle,
  readVidurProfile,
  type TimingProfile,
  vidurLayerOperations,
  writeProfile,
} from "../../lib/timing/mod.ts";
import { parseConfig } from "../../lib/support/mod.ts";
import { batchShape } from "./_batch_shape.ts";
import { assertPartsSum, kindSeconds, partSeconds } from "./_operations.ts";
import { withFolder } from "../_helpers.ts";

const shared = fileURLToPath(new URL("../../../shared", import.meta.url));
const missing = !existsSync(`${shared}/profiling`);

const llama = getModel("meta-llama/Llama-2-7b-hf");
const a100 = getGpu("a100");
const single = { model: llama, gpu: a100, tensorParallel: 1, pipelineStages: 1 };

/** A profile whose every operation takes `tokens + k` microseconds, attention left out. */
function linearProfile(): TimingProfile {
  const curve = (k: number) => ({ counts: [1, 10], microseconds: [1 + k, 10 + k] });
  return {
    format: "signalbox-profile",
    version: 1,
    kind: "tables",
    gpu: "a100",
    model: llama.name,
    source: "made up",
    licence: "MIT",
    tables: [],
    method: "made up",
    degrees: [1, 2].map((tensorParallel) => ({
      tensorParallel,
      layer: {
        product: { ...curve(0), kind: "matmul" as const },
        norm: { ...curve(3), kind: "elementwise" as const },
      },
      layerError: { points: 1, median: 0.01, p90: 0.02, max: 0.03 },
      attention: { kind: "analytic" as const, reason: "made up" },
      embedding: curve(10),
      finalNorm: curve(20),
      sampling: curve(30),
      allReduce: curve(40),
      sendRecv: curve(50),
      cpu: curve(60),
    })),
  };
}

/** The first shipped timers of every profile, at each degree, in one and in two stages. */
function* shippedTimers(): Generator<[name: string, timer: BatchTimer, stages: number]> {
  for (const name of listShippedProfiles()) {
    const profile = loadProfile(new URL(`../../data/profiles/${name}`, import.meta.url));
    assert.equal(profile.kind, "tables", name);
    if (profile.kind !== "tables") continue;
    assert.equal(profileFileName(profile.gpu, profile.model), name);
    for (const { tensorParallel } of profile.degrees) {
      for (const pipelineStages of [1, 2]) {
        const [model, gpu] = [getModel(profile.model), getGpu(profile.gpu)];
        const options = { model, gpu, tensorParallel, pipelineStages };
        yield [`${name} ${tensorParallel}`, createFittedTimer(profile, options), pipelineStages];
      }
    }
  }
}

Deno.test("createFittedTimer() adds curves of layers, ends, collectives and CPU work", () => {
  const options = { ...single, tensorParallel: 2, pipelineStages: 2 };
  const timer = createFittedTimer(linearProfile(), options);
  const batch = batchShape([100, 200], [[0, 5]]);
  const first = kindSeconds(timer, batch, 0);
  const last = kindSeconds(timer, batch, 1);
  const close = (seconds: number, microseconds: number): void =>
    assert.ok(Math.abs(seconds * 1e6 - microseconds) < 1e-9, `${seconds * 1e6}, ${microseconds}`);
  // Seven tokens in three requests, 16 layers a stage.
  close(first.matmul, 16 * 7);
  close(first.elementwise, 16 * 10 + 17);
  close(last.elementwise, 16 * 10 + 27);
  close(first.communication, 2 * 16 * 47 + 57);
  close(last.communication, 2 * 16 * 47);
  close(first.sampling, 0);
  close(last.sampling, 33);
  close(timer.overheadSeconds(batch), 63);
  // A profile's own names stay.
  close(partSeconds(timer, batch, 0).product!, 16 * 7);
  assertPartsSum(timer, 2);
});

Deno.test("shipped profiles know operations by name, whose parts sum to every time", () => {
  for (const [name, timer, stages] of shippedTimers()) {
    assertPartsSum(timer, stages, { decodes: 40, context: 4000, prefills: 2, chunk: 2048 });
    for (const { operations: names, kind } of timer.operationParts!()) {
      for (const each of names) {
        assert.equal(operations[each as Operation], kind, `${name} ${each}`);
      }
    }
  }
});

Deno.test("createFittedTimer() takes from the analytic timer what the profile lacks", () => {
  const profile = linearProfile();
  const [degree] = profile.degrees;
  const { layer, layerError, attention } = degree!;
  profile.degrees = [{ tensorParallel: 4, layer, layerError, attention }];
  const options = { ...single, tensorParallel: 4, pipelineStages: 2 };
  const fitted = createFittedTimer(profile, options);
  const analytic = createAnalyticTimer(options);
  const batch = batchShape([3000], [[500, 200]]);
  for (const stage of [0, 1]) {
    const ours = kindSeconds(fitted, batch, stage);
    const theirs = kindSeconds(analytic, batch, stage);
    for (const kind of ["attention", "communication", "sampling", "cpu"] as const) {
      assert.ok(Math.abs(ours[kind] - theirs[kind]) <= 1e-15, kind);
    }
  }
});

Deno.test("createFittedTimer() refuses a degree that was not profiled", () => {
  assert.throws(() => createFittedTimer(linearProfile(), { ...single, tensorParallel: 4 }), {
    name: "ConfigError",
    message:
      /tensorParallel must be one of 1, 2, which the profile of .* on a100 has.* value is 4$/,
  });
});

Deno.test("shipped profiles give positive, finite times that never fall with tokens or contexts", () => {
  const timers = [...shippedTimers()];
  // 22 of Vidur, 3 of LLMServingSim.
  assert.equal(new Set(timers.map(([name]) => name.split(" ")[0])).size, 25);
  const contexts = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 300 });
  const prefill = fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 9000 }));
  fc.assert(
    fc.property(
      fc.constantFrom(...timers),
      contexts,
      prefill,
      fc.nat(),
      fc.integer({ min: 1, max: 9000 }),
      ([name, timer, stages], decodes, [context, chunk], which, by) => {
        const longer = decodes.map((value, i) => i === which % decodes.length ? value + by : value);
        const pairs = [
          [batchShape(decodes, []), batchShape(longer, [])],
          [batchShape([], [[context, chunk]]), batchShape([], [[context, chunk + by]])],
          [batchShape(decodes, [[context, chunk]]), batchShape(longer, [[context, chunk]])],
          [batchShape(decodes, [[context, chunk]]), batchShape(decodes, [[context + by, chunk]])],
          [batchShape(decodes, [[context, chunk]]), batchShape(decodes, [[context, chunk + by]])],
        ] as const;
        for (const [before, after] of pairs) {
          for (let stage = 0; stage < stages; stage++) {
            const seconds = timer.modelSeconds(before, stage);
            assert.ok(seconds > 0 && Number.isFinite(seconds), name);
            assert.ok(timer.modelSeconds(after, stage) >= seconds * (1 - 1e-12), name);
            assert.ok(timer.overheadSeconds(before) >= 0, name);
          }
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("shipped profiles time any batch of several prompts", () => {
  const timers = [...shippedTimers()];
  fc.assert(
    fc.property(
      fc.constantFrom(...timers),
      fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 40 }),
      fc.array(fc.tuple(fc.nat(200_000), fc.integer({ min: 1, max: 70_000 })), { maxLength: 6 }),
      ([name, timer], decodes, prefills) => {
        if (decodes.length + prefills.length === 0) return;
        const seconds = timer.modelSeconds(batchShape(decodes, prefills), 0);
        assert.ok(seconds > 0 && Number.isFinite(seconds), name);
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("loadProfile() names the file and the field of what is no profile", () =>
  withFolder(async (folder) => {
    const path = await writeProfile(folder, linearProfile());
    assert.deepEqual(loadProfile(path), linearProfile());
    const text = await Deno.readTextFile(path);
    const refuse = async (changed: string, message: RegExp): Promise<void> => {
      await Deno.writeTextFile(path, changed);
      assert.throws(() => loadProfile(path), { name: "ConfigError", message });
    };
    await refuse("{", /must be a file with a profile; this one holds no JSON/);
    await refuse(text.replace('"version": 1', '"version": 2'), /version must be one of 1, .* 2$/);
    await refuse(text.replace("[1, 10]", "[10, 1]"), /counts must be strictly increasing/);
    await refuse(
      text.replace("[1, 10],", "[1, 10, 20],"),
      /microseconds must be as many as counts/,
    );
    await Deno.remove(path);
    assert.throws(() => loadProfile(path), { message: /this one cannot be read/ });
    const empty = { ...linearProfile(), degrees: [] };
    await assert.rejects(writeProfile(folder, empty), { name: "ConfigError" });
    assert.equal(existsSync(path), false);
  }));

Deno.test("profileSchema refuses tables of attention that no time could be looked up in", () => {
  const [degree] = linearProfile().degrees;
  const error = { points: 1, median: 0, p90: 0, max: 0 };
  const surface = { x: [1, 2], y: [0, 9], microseconds: [1, 2, 3, 4], error };
  const joint = {
    kind: "joint",
    chunkTokens: [0, 32],
    contextTokens: [0, 16],
    decodeCounts: [0, 1],
    decodeContextTokens: [0, 16],
    microseconds: Array<number>(16).fill(1),
    error,
  };
  const skew = { decodeCounts: [2, 8], alone: [0, 0.5], mixed: [0.1, 0.2] };
  const parse = (attention: object) =>
    parseConfig(profileSchema, { ...linearProfile(), degrees: [{ ...degree, attention }] });
  parse({ kind: "separate", prefill: surface, decode: surface });
  parse({ ...joint, skew });
  const refused: [object, RegExp][] = [
    [
      {
        kind: "separate",
        prefill: surface,
        decode: { ...surface, microseconds: [1, 2, null, null] },
      },
      /attention\.decode\.microseconds must be measured in two rows and two columns at least/,
    ],
    [{ ...joint, skew: { ...skew, mixed: [0.1] } }, /skew must be with as many shares/],
    [{ ...joint, skew: { ...skew, decodeCounts: [2, 2.5] } }, /decodeCounts must be integers/],
  ];
  for (const [attention, message] of refused) {
    assert.throws(() => parse(attention), { name: "ConfigError", message });
  }
});

Deno.test("createTimer() chooses by kind, own files before shipped ones", async () => {
  const missingModel = getModel("internlm/internlm2-20b");
  assert.throws(() => createTimer({ kind: "profile" }, { ...single, model: missingModel }), {
    name: "ConfigError",
    message:
      /no profile of internlm\/internlm2-20b on a100 at tensorParallel 1 \(shipped, for hardware of the catalogue, are a100_/,
  });
  const auto = createTimer({ kind: "auto" }, { ...single, model: missingModel });
  assert.match(auto.description!, /^analytic timer/);
  const slow = createTimer({ kind: "analytic", efficiency: { iterationSeconds: 0.5 } }, single);
  assert.equal(slow.overheadSeconds(batchShape([1])), 0.5);
  const folder = await Deno.makeTempDir();
  try {
    const path = await writeProfile(folder, linearProfile());
    const own = createTimer({ kind: "profile", files: [path] }, single);
    const shipped = createTimer({ kind: "profile" }, single);
    const batch = batchShape([10]);
    assert.ok(own.modelSeconds(batch, 0) < shipped.modelSeconds(batch, 0) / 5);
    assert.equal(own.description?.includes("median error of a layer 1.0 % (p90 2.0 %)"), true);
    // Its degrees are 1 and 2; the shipped profile has 8.
    const eight = createTimer({ kind: "profile", files: [path] }, { ...single, tensorParallel: 8 });
    assert.match(eight.description!, /tensorParallel 8/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("createTimer() keeps shipped profiles from hardware that only has a name of the catalogue's", () => {
  const model = { ...single.model, mlpHiddenDim: 2 * single.model.mlpHiddenDim };
  const efficiency = getGpuEfficiency("a100");
  for (const own of [{ ...single, model }, { ...single, efficiency }]) {
    assert.match(createTimer({ kind: "auto" }, own).description!, /^analytic timer/);
    assert.throws(() => createTimer({ kind: "profile" }, own), { name: "ConfigError" });
  }
  const same = { ...single, model: { ...single.model } };
  assert.match(createTimer({ kind: "auto" }, same).description!, /^profile of/);
});

Deno.test("fitVidurProfile() recovers a piecewise linear curve and averages noise out", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    const operations = ["attn_pre_proj", "mlp_act"];
    const rows = [
      `${operations.map((name) => `time_stats.${name}.median`)},time_stats.emb.median,num_tokens,` +
      "n_head,n_kv_head,n_embd,n_expanded_embd,num_tensor_parallel_workers",
    ];
    for (let tokens = 1; tokens <= 400; tokens++) {
      const kinked = 1 + Math.max(0, tokens - 100) * 0.05;
      const noisy = (1 + 0.01 * tokens) * (tokens % 2 === 0 ? 1.04 : 0.96);
      rows.push(`${kinked},${noisy},0,${tokens},32,32,4096,11008,1`);
    }
    await Deno.writeTextFile(path, rows.join("\n"));
    const [degree] = await fitVidurProfile({ mlp: path }, llama);
    const { attn_pre_proj: kinked, mlp_act: noisy } = degree!.layer;
    // Flat to 100 tokens, then a line: three knots do.
    assert.deepEqual(kinked!.counts, [1, 100, 400]);
    assert.deepEqual(kinked!.microseconds, [1000, 1000, 16000]);
    assert.equal(kinked!.error!.max, 0);
    // Every measurement is 4 % off the line, to one side or the other.
    assert.ok(noisy!.heldOut!.p90 < 0.06);
    const middle = noisy!.counts.findIndex((count) => count > 200);
    const expected = 1000 * (1 + 0.01 * noisy!.counts[middle]!);
    assert.ok(Math.abs(noisy!.microseconds[middle]! / expected - 1) < 0.03);
    assert.equal(degree!.attention.kind, "analytic");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test({
  name: "shipped profiles agree with the tables that they were fitted to as closely as they state",
  ignore: missing,
  async fn() {
    const model = getModel("meta-llama/Llama-2-70b-hf");
    const table = await readVidurProfile({
      mlp: `${shared}/profiling/compute/a100/${model.name}/mlp.csv`,
      attention: `${shared}/profiling/attention/a100_Llama-2-70b_tp2_flash_attention.csv`,
    }, { model, tensorParallel: 2 });
    const options = { model, gpu: a100, tensorParallel: 2, pipelineStages: 1 };
    const profile = loadShippedProfile("a100", model.name)!;
    const fitted = createFittedTimer(profile, options);
    const errors = { layer: [] as number[], decode: [] as number[] };
    for (let tokens = 8; tokens <= 4096; tokens += 8) {
      const batch = batchShape([], [[0, tokens]]);
      const { matmul, elementwise } = kindSeconds(fitted, batch, 0);
      const seconds = matmul + elementwise - partSeconds(fitted, batch, 0).embedding!;
      const measured = vidurLayerOperations
        .reduce((sum, name) => sum + table.operationSeconds(name, tokens), 0);
      errors.layer.push(Math.abs(seconds / model.layers / measured - 1));
    }
    for (let decodes = 1; decodes <= 128; decodes += 3) {
      for (let context = 64; context <= 4000; context += 320) {
        const batch = batchShape(Array<number>(decodes).fill(context));
        const { attention } = kindSeconds(fitted, batch, 0);
        const measured = table.decodeSeconds!(decodes, context);
        errors.decode.push(Math.abs(attention / model.layers / measured - 1));
      }
    }
    const { layerError, attention } = profile.degrees.find((each) => each.tensorParallel === 2)!;
    assert.ok(quantile(errors.layer, 0.5) < 1.3 * layerError.median);
    assert.ok(quantile(errors.layer, 0.9) < 1.3 * layerError.p90);
    assert.equal(attention.kind, "separate");
    if (attention.kind !== "separate") return;
    assert.ok(quantile(errors.decode, 0.5) < 1.3 * attention.decode.error.median);
  },
});

Deno.test({
  name: "a shipped profile of a bundle keeps mixed batches close to the whole table",
  ignore: missing,
  async fn() {
    const model = getModel("meta-llama/Llama-3.1-8B");
    const gpu = getGpu("rtxpro6000");
    const bundle = await readServingBundle(
      `${shared}/profiling/llmservingsim/RTXPRO6000/${model.name}`,
    );
    const options = { model, gpu, tensorParallel: 1, pipelineStages: 1 };
    const fitted = createFittedTimer(loadShippedProfile(gpu.name, model.name)!, options);
    const errors: number[] = [];
    for (const chunk of [32, 200, 500, 1500]) {
      for (const context of [0, 700, 3000]) {
        for (const decodes of [1, 7, 30, 100]) {
          for (const depth of [100, 900, 4000]) {
            const decodeContexts = Array<number>(decodes).fill(depth);
            const { attention } = kindSeconds(
              fitted,
              batchShape(decodeContexts, [[context, chunk]]),
              0,
            );
            const measured = bundle.attentionSeconds(chunk, context, decodes, depth);
            errors.push(Math.abs(attention / model.layers / measured - 1));
          }
        }
      }
    }
    assert.ok(quantile(errors, 0.5) < 0.05, `median ${quantile(errors, 0.5)}`);
    assert.ok(quantile(errors, 0.9) < 0.2, `p90 ${quantile(errors, 0.9)}`);
  },
});
