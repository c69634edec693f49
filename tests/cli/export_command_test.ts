import assert from "node:assert/strict";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { createPolicy } from "../../lib/policy/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { RunningNormalizer, StateBuilder } from "../../lib/state/mod.ts";
import {
  exportOnnx,
  exportTfjs,
  policyCheckpoint,
  saveCheckpoint,
} from "../../lib/training/mod.ts";
import { run } from "./_run.ts";

Deno.test("deno task export writes the models of a saved policy", async () => {
  const folder = await Deno.makeTempDir();
  const config = parseExperimentConfig({ policy: { kind: "mlp", hiddenSizes: [8] } });
  const { layout, schemaHash } = new StateBuilder(config.state, 2);
  const shape = { observationSize: layout.size, actionCount: 2, replicaLayout: layout };
  const policy = createPolicy(config.policy, shape, new Rng(1));
  const normalizer = new RunningNormalizer(layout.size, config.normalizer);
  normalizer.freeze();
  const trained = { config, policy, normalizer, schemaHash, replicaCount: 2 };
  try {
    const checkpoint = policyCheckpoint(trained, { update: 1, decisions: 1 });
    const path = await saveCheckpoint(folder, checkpoint, { keepLast: 1 });
    const onnx = `${folder}/policy.onnx`;
    const tfjs = `${folder}/tfjs`;
    const { code, stderr } = await run("export", "--policy", path, "--onnx", onnx, "--tfjs", tfjs);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await Deno.readFile(onnx), exportOnnx(trained));
    const expected = exportTfjs(trained);
    assert.deepEqual(await Deno.readFile(`${tfjs}/weights.bin`), expected["weights.bin"]);
    const model = JSON.parse(await Deno.readTextFile(`${tfjs}/model.json`));
    assert.deepEqual(model, JSON.parse(JSON.stringify(expected["model.json"])));

    const refused = await run("export", "--policy", `${folder}/none`, "--onnx", onnx);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /Cannot use checkpoint .*none: it must exist/);
    const nowhere = await run(
      "export",
      "--policy",
      "mixed",
      "--onnx",
      `${folder}/none/policy.onnx`,
    );
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /^error: Cannot write --onnx: .*there is no such folder/);
    const unknown = await run("export", "--policy", "mix", "--onnx", onnx);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /followed by one of general, mixed, or by a file/);
    const nothing = await run("export", "--policy", path);
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /--onnx or --tfjs must be given/);
  } finally {
    policy.dispose();
    await Deno.remove(folder, { recursive: true });
  }
});
