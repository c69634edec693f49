/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Compares the policies of a study's cells, one a message, in a thread of its own.
import type { WorkerMessage } from "../sweep/mod.ts";
import { type CellTask, compareCell } from "./_cell_task.ts";

self.onmessage = async ({ data }: MessageEvent<CellTask>): Promise<void> => {
  const send = (message: WorkerMessage<never, null>): void => self.postMessage(message);
  try {
    await compareCell(data);
    send({ kind: "done", output: null });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    send({ kind: "failed", error: { name, message, stack } });
  }
};
