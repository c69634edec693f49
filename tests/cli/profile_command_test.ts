import assert from "node:assert/strict";
import { loadProfile } from "../../lib/timing/mod.ts";
import { run } from "./_run.ts";
import { withFolder } from "../_helpers.ts";

Deno.test("deno task profile fit makes a profile that simulate times batches by", () =>
  withFolder(async (folder) => {
    const median = (name: string): string => `time_stats.${name}.median`;
    const rows = [
      `${median("attn_pre_proj")},${median("mlp_act")},${median("emb")},num_tokens,` +
      "n_head,n_kv_head,n_embd,n_expanded_embd,num_tensor_parallel_workers",
    ];
    for (let tokens = 1; tokens <= 40; tokens++) {
      rows.push(`${1 + tokens},${tokens},0.5,${tokens},32,32,4096,11008,1`);
    }
    await Deno.writeTextFile(`${folder}/mlp.csv`, rows.join("\n"));
    const named = ["--gpu", "a100", "--model", "meta-llama/Llama-2-7b-hf", "--out", folder];
    const fitted = await run("profile", "fit", folder, ...named);
    assert.equal(fitted.code, 0, fitted.stderr);
    const path = `${folder}/a100_Llama-2-7b-hf.json`;
    const profile = loadProfile(path);
    assert.equal(profile.kind, "tables");
    if (profile.kind !== "tables") return;
    assert.deepEqual(profile.degrees[0]!.layer["mlp_act"]!.microseconds, [1000, 40_000]);

    const again = await run("profile", "fit", folder, ...named);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /^error: Cannot write the profile: .* exists already\n$/);

    const simulated = await run("simulate", "--requests", "20", "--profile", path);
    assert.equal(simulated.code, 0, simulated.stderr);
    assert.match(
      simulated.stdout,
      /timer of replicas 0, 1, 2, 3: profile of meta-llama\/Llama-2-7b-hf on a100, tensorParallel 1; median error of a layer 0\.0 %/,
    );
  }));

Deno.test("deno task simulate serves a model of config.json on a GPU of one's own", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/config.json`,
      JSON.stringify({
        "_name_or_path": "acme/small",
        "model_type": "llama",
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 8,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "vocab_size": 1000,
        "max_position_embeddings": 8192,
      }),
    );
    await Deno.writeTextFile(
      `${folder}/gpu.json`,
      JSON.stringify({
        name: "mine",
        fp16FlopsPerSecond: 1e14,
        memoryBytes: 2e10,
        memoryBandwidthBytesPerSecond: 1e12,
        linkBandwidthBytesPerSecond: 1e10,
        efficiency: "a40",
      }),
    );
    const options = [
      ...["--requests", "20", "--gpu-spec", `${folder}/gpu.json`],
      ...["--set", 'cluster.replicas=[{"gpu":"mine"}]'],
    ];
    const model = ["--model-config", `${folder}/config.json`];
    const simulated = await run("simulate", ...options, ...model);
    assert.equal(simulated.code, 0, simulated.stderr);
    assert.match(simulated.stdout, /timer of replica 0: analytic timer of acme\/small on mine/);

    const refused = await run("simulate", ...options, ...model, "--timer", "profile");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^error: .*no profile of acme\/small on mine at tensorParallel 1/);
  }));

Deno.test("deno task profile refuses an unknown sub-command, GPU and folder in one line", async () => {
  for (
    const [args, message] of [
      [[], /a sub-command must be given, one of list, show, fit/],
      [["shwo"], /unknown command 'shwo'/],
      [["show", "a100", "nobody/nothing"], /there is none of nobody\/nothing on a100/],
    ] as const
  ) {
    const { code, stdout, stderr } = await run("profile", ...args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: [^\n]*\n$/);
    assert.match(stderr, message);
  }
});
