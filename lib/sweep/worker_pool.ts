/**
 * Tasks on a bounded number of Web Workers.
 *
 * @module
 */

/** What a worker says while it works on a task. */
export type WorkerMessage<Progress, Output> =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "done"; readonly output: Output }
  | { readonly kind: "failed"; readonly error: WorkerFailure };

/** An error as it crosses the boundary between threads. */
export interface WorkerFailure {
  /** Class name. */
  readonly name: string;
  /** What happened. */
  readonly message: string;
  /** Where, if known. */
  readonly stack?: string | undefined;
}

/** How a pool runs. */
export interface PoolOptions<Progress, Output> {
  /** Largest number of workers at a time, >= 1. */
  readonly jobs: number;
  /**
   * Starts a worker. It receives one task a message and answers each with
   * {@linkcode WorkerMessage}s, the last of them `done` or `failed`.
   */
  readonly createWorker: () => Worker;
  /** How often a task whose worker crashed or failed is tried again, in a new worker; 1 by default. */
  readonly retries?: number;
  /** Stops everything: workers are ended at once, the pool rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** A task begins (again, when `attempt` > 1). */
  readonly onStart?: (task: number, attempt: number) => void;
  /** A worker reports. */
  readonly onProgress?: (task: number, progress: Progress) => void;
  /** A task is done. */
  readonly onDone?: (task: number, output: Output) => void;
  /** An attempt failed; it is the last one when `final`. */
  readonly onFailed?: (task: number, error: WorkerFailure, final: boolean) => void;
}

/** How a task ended. */
export type TaskOutcome<Output> =
  | { readonly ok: true; readonly output: Output }
  | { readonly ok: false; readonly error: WorkerFailure };

/**
 * Runs tasks in order of their index on at most `jobs` workers, each worker used for one task after
 * another. A worker that crashes is replaced.
 *
 * @param tasks What each worker is sent; must survive the structured clone.
 * @returns One outcome a task, in the order of the tasks.
 * @throws The signal's reason when it fires.
 */
export async function runPool<Task, Progress, Output>(
  tasks: readonly Task[],
  options: PoolOptions<Progress, Output>,
): Promise<TaskOutcome<Output>[]> {
  const { jobs, signal, retries = 1 } = options;
  if (!Number.isInteger(jobs) || jobs < 1) {
    throw new RangeError(
      `Cannot start workers: jobs must be an integer >= 1, current value is ${jobs}`,
    );
  }
  signal?.throwIfAborted();
  const outcomes = new Array<TaskOutcome<Output>>(tasks.length);
  let next = 0;

  async function lane(): Promise<void> {
    let worker: Worker | undefined;
    try {
      while (next < tasks.length) {
        const task = next++;
        for (let attempt = 1;; attempt++) {
          worker ??= options.createWorker();
          options.onStart?.(task, attempt);
          const outcome = await runTask<Progress, Output>(worker, tasks[task], (progress) => {
            options.onProgress?.(task, progress);
          }, signal);
          outcomes[task] = outcome;
          if (outcome.ok) {
            options.onDone?.(task, outcome.output);
            break;
          }
          worker.terminate();
          worker = undefined;
          options.onFailed?.(task, outcome.error, attempt > retries);
          if (attempt > retries) break;
        }
      }
    } finally {
      worker?.terminate();
    }
  }

  // Lanes never outlive an abort: each one's pending task rejects with the signal's reason.
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, lane));
  return outcomes;
}

/** One task on one worker; resolves with its end, rejects only on abort. */
function runTask<Progress, Output>(
  worker: Worker,
  task: unknown,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal | undefined,
): Promise<TaskOutcome<Output>> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<TaskOutcome<Output>>();
  const onAbort = (): void => reject(signal?.reason);
  const onMessage = ({ data }: MessageEvent<WorkerMessage<Progress, Output>>): void => {
    if (data.kind === "progress") onProgress(data.progress);
    else if (data.kind === "done") resolve({ ok: true, output: data.output });
    else resolve({ ok: false, error: data.error });
  };
  const onError = (event: ErrorEvent): void => {
    event.preventDefault(); // an error left unhandled would end the whole process
    resolve({ ok: false, error: { name: "WorkerCrash", message: event.message } });
  };
  const onMessageError = (): void => {
    resolve({ ok: false, error: { name: "WorkerCrash", message: "sent an unreadable message" } });
  };
  worker.addEventListener("message", onMessage);
  worker.addEventListener("error", onError);
  worker.addEventListener("messageerror", onMessageError);
  signal?.addEventListener("abort", onAbort);
  worker.postMessage(task);
  return promise.finally(() => {
    worker.removeEventListener("message", onMessage);
    worker.removeEventListener("error", onError);
    worker.removeEventListener("messageerror", onMessageError);
    signal?.removeEventListener("abort", onAbort);
  });
}
