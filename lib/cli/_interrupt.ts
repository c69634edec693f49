/** Ctrl-C and its kin. */

/** Exit code after Ctrl-C, by the shells' convention 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130;

/** Thrown where a signal stops the work. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * Runs `body` with a signal that fires on SIGINT and SIGTERM; a second SIGINT ends the process at
 * once.
 */
export async function withInterrupts<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) Deno.exit(EXIT_INTERRUPTED);
    controller.abort(new Interrupted("interrupted"));
  };
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  try {
    return await body(controller.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", onSignal);
    Deno.removeSignalListener("SIGTERM", onSignal);
  }
}

/** {@linkcode withInterrupts} for a run that can be resumed: what is thrown says how. */
export async function withResume<T>(
  out: string,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withInterrupts(body);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(
      `interrupted; finish the run with the same options and --resume --out ${out}`,
    );
  }
}
