/** Command lines: parsing options and refusing what cannot be meant. */
import { type Command, CommanderError, type Option } from "commander";
import { type Assignment, parseAssignment } from "../config/mod.ts";
import { UsageError } from "../support/mod.ts";

/**
 * Parses a command line. `--help` prints and exits with 0; anything that the program does not know
 * is a UsageError.
 */
export function parseArguments(program: Command, args: readonly string[]): Command {
  try {
    return throwing(program).parse(args, { from: "user" });
  } catch (error) {
    throw refusal(error);
  }
}

/**
 * Runs the action of the sub-command that a command line names, and waits for it.
 *
 * @throws {UsageError} When there is none or it is unknown.
 */
export async function runSubcommand(program: Command, args: readonly string[]): Promise<void> {
  if (args.length === 0) {
    const names = program.commands.map((command) => command.name()).join(", ");
    throw new UsageError(
      `Cannot run ${program.name()}: a sub-command must be given, one of ${names} (see --help)`,
    );
  }
  try {
    await throwing(program).parseAsync(args, { from: "user" });
  } catch (error) {
    throw refusal(error);
  }
}

/** Makes a program and its sub-commands throw where they would print and exit. */
function throwing(program: Command): Command {
  for (const command of program.commands) throwing(command);
  return program.exitOverride().configureOutput({ outputError: () => {} });
}

/** What to throw for an error of parsing; exits where help was asked for. */
function refusal(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) Deno.exit(0);
  return new UsageError(
    `${error.message.replace(/^error: /, "").replaceAll("\n", " ")} (see --help)`,
  );
}

/** The options that a command line gives. */
export function givenOptions(command: Command): Option[] {
  return command.options.filter((option) =>
    command.getOptionValueSource(option.attributeName()) === "cli"
  );
}

/** Collects a repeatable `--set path.to.key=value`. */
export function collectAssignment(text: string, before: readonly Assignment[] = []): Assignment[] {
  return [...before, parseAssignment(text)];
}

/** Reads `--seeds 1,2,5-9`. */
export function parseSeeds(text: string): number[] {
  return readIntegers(text, "seeds", "--seeds");
}

/** Reads `--seed 7`. */
export function parseSeed(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(seed)) return seed;
  throw new UsageError(
    `Cannot read --seed: it must be one integer >= 0, current value is ${JSON.stringify(text)}`,
  );
}

/** Reads indices such as `0,10,500-509`. */
export function parseIndices(option: string): (text: string) => number[] {
  return (text) => readIntegers(text, "indices", option);
}

/** Distinct integers and ranges. */
function readIntegers(text: string, what: string, option: string): number[] {
  const numbers = text.split(",").flatMap((part) => {
    const range = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const first = Number(range?.[1]);
    const last = Number(range?.[2] ?? first);
    if (range === null || last < first || last - first >= 10_000 || !Number.isSafeInteger(last)) {
      throw new UsageError(
        `Cannot read ${what}: ${option} must be integers >= 0 and ranges such as 1,2,5-9, current value is ${
          JSON.stringify(text)
        }`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  if (new Set(numbers).size !== numbers.length) {
    throw new UsageError(
      `Cannot read ${what}: ${option} must be distinct, current value is ${JSON.stringify(text)}`,
    );
  }
  return numbers;
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

/** Reads a finite number of seconds > 0. */
export function parseSeconds(what: string): (text: string) => number {
  return (text) => {
    const seconds = text.trim() === "" ? NaN : Number(text);
    if (seconds > 0 && seconds < Infinity) return seconds;
    throw new UsageError(
      `Cannot read ${what}: it must be seconds > 0, current value is ${JSON.stringify(text)}`,
    );
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
  const { ratePerSecond, maxTokens, overLength, classes } = workload as Record<string, unknown>;
  const kept = Object.entries({ ratePerSecond, maxTokens, overLength, classes })
    .filter(([, value]) => value !== undefined);
  return [{ path: "workload", value: { kind: "trace", path, ...Object.fromEntries(kept) } }];
}
