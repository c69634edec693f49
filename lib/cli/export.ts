// deno-lint-ignore-file no-console
/**
 * `deno task export`: writes a trained policy for other runtimes.
 *
 * @module
 */
import { Command } from "commander";
import { writeFileAtomic } from "../support/mod.ts";
import { exportOnnx, loadTrainedPolicy, useSimdBackend } from "../training/mod.ts";
import { parseArguments } from "./_arguments.ts";
import { runCommand } from "./_run_command.ts";

interface ExportOptions {
  readonly policy: string;
  readonly onnx: string;
}

const program = new Command("export")
  .description("Writes a trained policy as an ONNX model, normalisation included")
  .requiredOption("--policy <path>", "checkpoint, or a folder of them: the newest is taken")
  .requiredOption("--onnx <file>", "where to write the model");

await runCommand(async (args) => {
  const options = parseArguments(program, args).opts<ExportOptions>();
  await useSimdBackend();
  const trained = await loadTrainedPolicy(options.policy);
  const bytes = exportOnnx(trained);
  trained.policy.dispose();
  await writeFileAtomic(options.onnx, bytes);
  console.log(`Written to ${options.onnx} (${bytes.length} bytes)`);
});
