// deno-lint-ignore-file no-console
/** `deno task profile check`. */
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { getModel } from "../hardware/mod.ts";
import { parseConfig, UsageError } from "../support/mod.ts";
import { compareVidurTables, readVidurProfile, readVidurTables } from "../timing/mod.ts";
import { textTable } from "./_text_table.ts";

interface CheckOptions {
  readonly profiling: string;
  readonly attention?: string;
}

const caseSchema = z.object({
  cluster_config: z.object({
    replica_config: z.object({
      model_name: z.string(),
      device: z.string(),
      network_device: z.string(),
      tensor_parallel_size: z.int(),
    }),
  }),
  predictor: z.object({ kv_cache_prediction_granularity: z.int() }),
  tables: z.object({ compute: z.string(), attn_decode: z.string(), attn_prefill: z.string() }),
});

type GoldenTables = z.infer<typeof caseSchema>;

/** Adds the sub-command that compares interpolation with Vidur's regressors. */
export function addCheckCommand(program: Command): void {
  program.command("check")
    .description(
      "Compares times interpolated from Vidur's profiles with the tables that Vidur's predictor " +
        "made of the same profiles in a recorded run",
    )
    .argument("<case>", "folder with case.json; its tables are looked up beside the folder")
    .requiredOption("--profiling <folder>", "Vidur's data/profiling: compute/ and network/")
    .option("--attention <file>", "attention.csv of that run; left out, attention is not compared")
    .action(check);
}

async function check(folder: string, options: CheckOptions): Promise<void> {
  const golden = await readCase(join(folder, "case.json"));
  const { model_name: name, device, network_device: network, tensor_parallel_size: degree } =
    golden.cluster_config.replica_config;
  const { profiling, attention } = options;
  const profile = await readVidurProfile({
    mlp: join(profiling, "compute", device, name, "mlp.csv"),
    ...(attention !== undefined && { attention }),
    ...optional("allReduce", join(profiling, "network", network, "all_reduce.csv")),
    ...optional("sendRecv", join(profiling, "network", network, "send_recv.csv")),
  }, { model: getModel(name), tensorParallel: degree });
  const root = dirname(folder.replace(/\/+$/, ""));
  const tables = await readVidurTables({
    compute: join(root, golden.tables.compute),
    decode: join(root, golden.tables.attn_decode),
    prefill: join(root, golden.tables.attn_prefill),
  }, golden.predictor.kv_cache_prediction_granularity);
  const rows = compareVidurTables(profile, tables).map((row) => [
    row.operation,
    String(row.points),
    ...[row.median, row.p90, row.max].map((share) => (100 * share).toFixed(2)),
  ]);
  console.log(`${name} on ${device}, tensorParallel ${degree}: |interpolated / Vidur's - 1|`);
  console.log(textTable(["operation", "points", "median %", "p90 %", "max %"], rows));
}

function optional<K extends string>(key: K, path: string): Partial<Record<K, string>> {
  return existsSync(path) ? { [key]: path } as Record<K, string> : {};
}

async function readCase(path: string): Promise<GoldenTables> {
  let input: unknown;
  try {
    input = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as Error).message}`);
  }
  return parseConfig<GoldenTables>(caseSchema, input, path);
}
