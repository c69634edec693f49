import assert from "node:assert/strict";
import { join } from "node:path";
import { TraceError } from "../../lib/support/mod.ts";
import {
  type BatchShape,
  createVidurTableTimer,
  readVidurTables,
  type VidurTableFiles,
  type VidurTables,
  type VidurTimerOptions,
} from "../../lib/timing/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { batchShape } from "./_batch_shape.ts";
import { assertPartsSum, kindSeconds, partSeconds } from "./_operations.ts";

const OPTIONS: VidurTimerOptions = {
  layersPerStage: 2,
  stageCount: 1,
  tensorParallel: 1,
  postAttentionNorm: true,
  decodeOverheadFraction: 0.1,
  prefillOverheadFraction: 0.1,
  ncclLaunchMilliseconds: 0.5,
  ncclSkewMilliseconds: 0,
};

/** Operation k takes 2^k ms at every number of tokens, attention 1000 (row + 1) + column. */
function makeFiles(folder: string): VidurTableFiles {
  const operations = [
    "attn_pre_proj",
    "attn_post_proj",
    "attn_rope",
    "attn_kv_cache_save",
    "mlp_up_proj",
    "mlp_down_proj",
    "mlp_act",
    "input_layernorm",
    "post_attention_layernorm",
    "add",
    "send_recv",
    "all_reduce",
  ];
  const compute = [["num_tokens", ...operations].join(",")];
  for (let tokens = 1; tokens <= 24; tokens++) {
    compute.push([tokens, ...operations.map((_, k) => 2 ** k)].join(","));
  }
  const decode = ["batch_size,kv_cache_size,ms"];
  const prefill = ["kv_cache_size,prefill_chunk_size,ms"];
  for (let kv = 0; kv <= 16; kv += 4) {
    for (let n = 1; n <= 20; n++) {
      decode.push(`${n},${kv},${n * 1000 + kv}`);
      prefill.push(`${kv},${n},${kv * 1000 + n}`);
    }
  }
  const files = {
    compute: join(folder, "compute.csv"),
    decode: join(folder, "decode.csv"),
    prefill: join(folder, "prefill.csv"),
  };
  Deno.writeTextFileSync(files.compute, compute.join("\n") + "\n");
  Deno.writeTextFileSync(files.decode, decode.join("\n"));
  Deno.writeTextFileSync(files.prefill, prefill.join("\n"));
  return files;
}

async function withTables(body: (tables: VidurTables) => void): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    body(await readVidurTables(makeFiles(folder), 4));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

// Per layer, without attention and communication: all of 2^0 .. 2^9 once.
const LAYER = 1023;

Deno.test("createVidurTableTimer() rounds the mean decode context down, then up to the grid", async () => {
  await withTables((tables) => {
    const timer = createVidurTableTimer(tables, OPTIONS);
    // One decode at context 5: grid 8.
    assert.equal(timer.modelSeconds(batchShape([5]), 0), (LAYER + 1008) * 2 * 1e-3);
    // Contexts 4 and 5: mean 4.5, truncated to 4, on the grid; two requests take 10 % more.
    assert.equal(timer.modelSeconds(batchShape([4, 5]), 0), (LAYER + 2004 * 1.1) * 2 * 1e-3);
    assert.equal(timer.overheadSeconds(batchShape([5])), 0);
  });
});

Deno.test("createVidurTableTimer() sums prompt contexts and takes the root of the squared chunks", async () => {
  await withTables((tables) => {
    const timer = createVidurTableTimer(tables, OPTIONS);
    assert.equal(timer.modelSeconds(batchShape([], [[3, 7]]), 0), (LAYER + 4007) * 2 * 1e-3);
    // Contexts 1 and 5: 4 + 8; chunks 3 and 4: 5.
    assert.equal(
      timer.modelSeconds(batchShape([], [[1, 3], [5, 4]]), 0),
      (LAYER + 12005 * 1.1) * 2 * 1e-3,
    );
  });
});

Deno.test("createVidurTableTimer() counts all-reduce twice a layer and send-receive once a stage", async () => {
  await withTables((tables) => {
    const batch = batchShape([4]);
    const split = createVidurTableTimer(tables, { ...OPTIONS, tensorParallel: 2 });
    assert.equal(split.modelSeconds(batch, 0), (LAYER + 1004 + 2 * 2048.5) * 2 * 1e-3);
    const staged = createVidurTableTimer(tables, { ...OPTIONS, stageCount: 2 });
    assert.equal(staged.modelSeconds(batch, 0), ((LAYER + 1004) * 2 + 1024) * 1e-3);
    assert.equal(staged.modelSeconds(batch, 1), (LAYER + 1004) * 2 * 1e-3);
    const phi = createVidurTableTimer(tables, { ...OPTIONS, postAttentionNorm: false });
    assert.equal(phi.modelSeconds(batch, 0), (LAYER - 256 + 1004) * 2 * 1e-3);
  });
});

Deno.test("createVidurTableTimer() tells the parts of every time, which sum to it", async () => {
  await withTables((tables) => {
    const timer = createVidurTableTimer(tables, { ...OPTIONS, tensorParallel: 2, stageCount: 2 });
    const parts = kindSeconds(timer, batchShape([4], [[0, 3]]), 0);
    // Two layers; 2^0 + 2^1 + 2^4 + 2^5, 2^2 + 2^6 + 2^7 + 2^8 + 2^9; save 2^3, decode, prompt.
    assertAllClose(Object.values(parts), [
      51 * 2e-3,
      (8 + 1004 + 3) * 2e-3,
      964 * 2e-3,
      2 * 2048.5 * 2e-3 + 1.024,
      0,
      0,
      0,
    ], { rtol: 1e-12, atol: 0 });
    assert.deepEqual(partSeconds(timer, batchShape([4], [[0, 3]]), 0), {
      attn_pre_proj: 2e-3,
      attn_post_proj: 2 * 2e-3,
      attn_rope: 4 * 2e-3,
      attn_kv_cache_save: 8 * 2e-3,
      mlp_up_proj: 16 * 2e-3,
      mlp_down_proj: 32 * 2e-3,
      mlp_activation: 64 * 2e-3,
      input_layernorm: 128 * 2e-3,
      post_attention_layernorm: 256 * 2e-3,
      add: 512 * 2e-3,
      attn_prefill: 3 * 2e-3,
      attn_decode: 1004 * 2e-3,
      attn_post_proj_all_reduce: 2048.5 * 2e-3,
      mlp_down_proj_all_reduce: 2048.5 * 2e-3,
      pipeline_send_recv: 1024 * 1e-3,
    });
    assertPartsSum(timer, 2, { decodes: 4, context: 8, prefills: 2, chunk: 10 });
    assert.throws(() => kindSeconds(timer, batchShape([], [[0, 25]]), 0), RangeError);
  });
});

Deno.test("createVidurTableTimer() names the table, key and range of a gap", async () => {
  await withTables((tables) => {
    const timer = createVidurTableTimer(tables, OPTIONS);
    const gaps: [BatchShape, RegExp][] = [
      [
        batchShape([17]),
        /table attn_decode has no entry for batch_size 1, kv_cache_size 20; .* 20, 16/,
      ],
      [
        batchShape([], [[17, 2]]),
        /table attn_prefill has no entry for kv_cache_size 20, prefill_chunk_size 2/,
      ],
      [
        batchShape([], [[0, 21]]),
        /table attn_prefill has no entry for kv_cache_size 0, prefill_chunk_size 21/,
      ],
      [
        batchShape([], [[0, 25]]),
        /table compute has no entry for num_tokens 32 \(rounded up from 25\)/,
      ],
    ];
    for (const [batch, message] of gaps) {
      assert.throws(() => timer.modelSeconds(batch, 0), (error) => {
        assert.ok(error instanceof RangeError);
        assert.match(error.message, message);
        return true;
      });
    }
    const { all_reduce: _, ...compute } = tables.compute;
    assert.throws(
      () => createVidurTableTimer({ ...tables, compute }, { ...OPTIONS, tensorParallel: 2 }),
      { name: "TypeError", message: /table compute has no column all_reduce/ },
    );
  });
});

Deno.test("readVidurTables() names the file and line of what is not a table", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const files = makeFiles(folder);
    const broken: [string, string, number, RegExp][] = [
      ["decode", "batch_size,kv_cache_size,ms\n1,0\n", 2, /expected 3 fields, found 2/],
      ["decode", "batch_size,kv_cache_size,ms\n1,0,5\n1,4,x\n", 3, /ms is not a number: x/],
      [
        "decode",
        "batch_size,kv_cache_size,ms\n1,3,5\n",
        2,
        /keys are not multiples >= 0 of 1 and 4/,
      ],
      ["decode", "batch_size,kv_cache_size,ms\n-1,4,5\n", 2, /keys are not multiples >= 0/],
      ["decode", "batch_size,kv_cache_size\n1,0\n", 1, /no column ms/],
      ["compute", "tokens\n1\n", 1, /no column num_tokens/],
      ["compute", "num_tokens,add\n8,1\n8.5,1\n", 3, /num_tokens is no integer >= 0: 8\.5/],
    ];
    for (const [table, text, line, reason] of broken) {
      const path = join(folder, "broken.csv");
      Deno.writeTextFileSync(path, text);
      await assert.rejects(readVidurTables({ ...files, [table]: path }, 4), (error) => {
        assert.ok(error instanceof TraceError, String(error));
        assert.equal(error.file, path);
        assert.equal(error.line, line);
        assert.match(error.message, reason);
        return true;
      });
    }
    for (const missing of ["none.csv", "none.csv.gz"]) {
      const compute = join(folder, missing);
      await assert.rejects(readVidurTables({ ...files, compute }, 4), {
        name: "TraceError",
        message: /none\.csv(\.gz)?: the file cannot be read/,
      });
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
