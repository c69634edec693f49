// deno-lint-ignore-file no-console
/**
 * `deno task export`: writes a trained policy for other runtimes.
 *
 * @module
 */
import { Command } from "commander";
import { UsageError, writeFileAtomic } from "../support/mod.ts";
import { exportOnnx, exportTfjs, loadTrainedPolicy, useSimdBackend } from "../training/mod.ts";
import { parseArguments } from "./_arguments.ts";
import { checkFolder, checkOutputFile } from "./_output_files.ts";
import { trainedPath } from "./_policies.ts";
import { runCommand } from "./_run_command.ts";

interface ExportOptions {
  readonly policy: string;
  readonly onnx?: string;
  readonly tfjs?: string;
}

const program = new Command("export")
  .description("Writes a trained policy, its normalisation included, for other runtimes")
  .requiredOption(
    "--policy <path>",
    "checkpoint, a folder of them (the newest is taken), or the name of a shipped policy",
  )
  .option("--onnx <file>", "where to write an ONNX model")
  .option("--tfjs <folder>", "where to write model.json and weights.bin of a TensorFlow.js model");

await runCommand(async (args) => {
  const { policy, onnx, tfjs } = parseArguments(program, args).opts<ExportOptions>();
  if (onnx === undefined && tfjs === undefined) {
    throw new UsageError("Cannot export: --onnx or --tfjs must be given");
  }
  if (onnx !== undefined) checkOutputFile("--onnx", onnx);
  if (tfjs !== undefined) checkFolder("--tfjs", tfjs, { empty: false });
  await useSimdBackend();
  const trained = await loadTrainedPolicy(trainedPath(policy));
  if (onnx !== undefined) await write(onnx, exportOnnx(trained));
  if (tfjs !== undefined) {
    const { "model.json": model, "weights.bin": weights } = exportTfjs(trained);
    await Deno.mkdir(tfjs, { recursive: true });
    await write(`${tfjs}/weights.bin`, weights);
    await write(`${tfjs}/model.json`, JSON.stringify(model));
  }
  trained.policy.dispose();
});

async function write(path: string, contents: string | Uint8Array): Promise<void> {
  await writeFileAtomic(path, contents);
  console.log(`Written to ${path}`);
}
