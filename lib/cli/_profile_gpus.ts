// deno-lint-ignore-file no-console
/** `deno task profile gpus`. */
import type { Command } from "commander";
import { getGpu, gpuNames } from "../hardware/mod.ts";
import { textTable } from "./_text_table.ts";

/** Adds the sub-command that lists the GPUs of the catalogue. */
export function addGpusCommand(program: Command): void {
  program.command("gpus").description("Lists the GPUs of the hardware catalogue").action(list);
}

function list(): void {
  const rows = gpuNames.map((name) => {
    const gpu = getGpu(name);
    return [
      name,
      gpu.product,
      (gpu.fp16FlopsPerSecond / 1e12).toFixed(1),
      (gpu.memoryBandwidthBytesPerSecond / 1e9).toFixed(0),
      (gpu.memoryBytes / 2 ** 30).toFixed(1),
      (gpu.linkBandwidthBytesPerSecond / 1e9).toFixed(1),
    ];
  });
  console.log(
    textTable(["gpu", "product", "TFLOP/s", "memory GB/s", "memory GiB", "link GB/s"], rows),
  );
}
