/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Runs trials, one a message, in a thread of its own.
import { useSimdBackend } from "../training/mod.ts";
import { runTrial, type TrialProgress } from "./run_trial.ts";
import type { TrialTask } from "./run_sweep.ts";
import type { WorkerMessage } from "./worker_pool.ts";

const backend = useSimdBackend();

self.onmessage = async ({ data: { trial, folder } }: MessageEvent<TrialTask>): Promise<void> => {
  const send = (message: WorkerMessage<TrialProgress, null>): void => self.postMessage(message);
  try {
    await backend;
    await runTrial(trial, folder, (progress) => send({ kind: "progress", progress }));
    send({ kind: "done", output: null });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    send({ kind: "failed", error: { name, message, stack } });
  }
};
