/** Command lines: parsing options and refusing what cannot be meant. */
import { type Command, CommanderError } from "commander";
import { type Assignment, parseAssignment } from "../config/mod.ts";
import { UsageError } from "../support/mod.ts";

/**
 * Parses a command line. `--help` prints and exits with 0; anything that the program does not know
 * is a UsageError.
 */
export function parseArguments(program: Command, args: readonly string[]): Command {
  program.exitOverride().configureOutput({ outputError: () => {} });
  try {
    return program.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) Deno.exit(0);
    const message = error.message.replace(/^error: /, "");
    throw new UsageError(`${message} (see --help)`);
  }
}

/** Collects a repeatable `--set path.to.key=value`. */
export function collectAssignment(text: string, before: readonly Assignment[] = []): Assignment[] {
  return [...before, parseAssignment(text)];
}

/** Reads `--seeds 1,2,5-9`. */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(",").flatMap((part) => {
    const range = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const first = Number(range?.[1]);
    const last = Number(range?.[2] ?? first);
    if (range === null || last < first || last - first >= 10_000 || !Number.isSafeInteger(last)) {
      throw new UsageError(
        `Cannot read seeds: --seeds must be integers >= 0 and ranges such as 1,2,5-9, current value is ${
          JSON.stringify(text)
        }`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  if (new Set(seeds).size !== seeds.length) {
    throw new UsageError(
      `Cannot read seeds: --seeds must be distinct, current value is ${JSON.stringify(text)}`,
    );
  }
  return seeds;
}

/** Reads an integer >= 1. */
export function parsePositive(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
      throw new UsageError(
        `Cannot read ${option}: it must be an integer >= 1, current value is ${
          JSON.stringify(text)
        }`,
      );
    }
    return value;
  };
}

/** Reads numbers > 0 separated by commas. */
export function parseNumbers(option: string): (text: string) => number[] {
  return (text) => {
    const values = text.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
    if (values.some((value) => !(value > 0 && value < Infinity))) {
      throw new UsageError(
        `Cannot read ${option}: it must be numbers > 0 separated by commas, current value is ${
          JSON.stringify(text)
        }`,
      );
    }
    return values;
  };
}

/** Collects a repeatable `name=number`. */
export function collectNumber(
  option: string,
): (text: string, before?: Readonly<Record<string, number>>) => Record<string, number> {
  return (text, before = {}) => {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) {
      throw new UsageError(
        `Cannot read ${option}: it must be name=number, current value is ${JSON.stringify(text)}`,
      );
    }
    return { ...before, [name]: Number(value) };
  };
}

/**
 * Assignments that make a configuration replay a trace at the rate that it has now, if it has one.
 */
export function traceAssignments(path: string, workload: unknown): Assignment[] {
  const { ratePerSecond, maxTokens, overLength } = workload as Record<string, number | string>;
  const kept = Object.entries({ ratePerSecond, maxTokens, overLength })
    .filter(([, value]) => value !== undefined);
  return [{ path: "workload", value: { kind: "trace", path, ...Object.fromEntries(kept) } }];
}
