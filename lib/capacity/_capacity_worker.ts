/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Measures clusters, one a message, in a thread of its own.
import type { WorkerMessage } from "../sweep/mod.ts";
import { type CapacityTask, measureCapacity } from "./capacity_task.ts";
import type { CapacitySearch } from "./search_capacity.ts";

self.onmessage = async ({ data }: MessageEvent<CapacityTask>): Promise<void> => {
  const send = (message: WorkerMessage<never, CapacitySearch>): void => self.postMessage(message);
  try {
    send({ kind: "done", output: await measureCapacity(data) });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    send({ kind: "failed", error: { name, message, stack } });
  }
};
