// deno-lint-ignore-file no-console
import { ConfigError, TraceError, UsageError } from "../support/mod.ts";
import { CheckpointError } from "../training/mod.ts";
import { EXIT_INTERRUPTED, Interrupted } from "./_interrupt.ts";

/** Exit code for input that is refused. */
const EXIT_BAD_INPUT = 2;

/**
 * Runs a command's body with the conventions that all commands share: one clear line and exit code
 * 2 for refused input, exit code 130 after an interrupt, a stack trace and exit code 1 for anything
 * unexpected.
 */
export async function runCommand(body: (args: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await body(Deno.args);
  } catch (error) {
    if (error instanceof Interrupted) {
      console.error(error.message);
      Deno.exit(EXIT_INTERRUPTED);
    }
    const refused = error instanceof ConfigError || error instanceof TraceError ||
      error instanceof UsageError || error instanceof CheckpointError || isRefusal(error);
    if (!refused) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(EXIT_BAD_INPUT);
  }
}

/**
 * Whether the library refused a value that only the run could tell to be out of range, such as a
 * request that no replica can serve. The engine's own range errors do not begin so.
 */
function isRefusal(error: unknown): error is RangeError {
  return error instanceof RangeError && error.message.startsWith("Cannot ");
}
