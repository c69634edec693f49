/**
 * Changing single keys of a configuration by dotted path.
 *
 * @module
 */
import { ConfigError, UsageError } from "../support/mod.ts";
import type { JsonValue } from "./json.ts";

/** One key to change: a dotted path (`ppo.clipRatio`, `cluster.replicas.0.gpu`) and its new value. */
export interface Assignment {
  /** Dotted path; array elements by index. */
  readonly path: string;
  /** The new value, whole: objects and arrays replace what was there. */
  readonly value: JsonValue;
}

/**
 * Reads `path.to.key=value`. The value is JSON (`0.2`, `true`, `[1,2]`, `{"kind":"poisson"}`,
 * `"7"`); what is not JSON is text (`hybrid`).
 *
 * @throws {UsageError} When there is no `=` or a part of the path is empty.
 *
 * @example
 * ```ts
 * import { parseAssignment } from "@signalbox/signalbox/config";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseAssignment("ppo.clipRatio=0.1"), { path: "ppo.clipRatio", value: 0.1 });
 * assert.deepEqual(parseAssignment("reward.mode=delta"), { path: "reward.mode", value: "delta" });
 * ```
 */
export function parseAssignment(text: string): Assignment {
  const equals = text.indexOf("=");
  const path = text.slice(0, Math.max(equals, 0)).trim();
  if (equals < 1 || path.split(".").some((part) => part === "")) {
    throw new UsageError(
      `Cannot set a value: --set must be path.to.key=value, current value is ${
        JSON.stringify(text)
      }`,
    );
  }
  return { path, value: parseValue(text.slice(equals + 1)) };
}

/**
 * A copy of `config` with the assignments made, in order; nothing is validated beyond the
 * existence of the containers on the way (a schema does the rest).
 *
 * @param config Plain JSON data; not changed.
 * @throws {ConfigError} When a path leads through something that holds no such key.
 */
export function assignPaths<T>(config: T, assignments: readonly Assignment[]): T {
  const copy = structuredClone(config);
  for (const assignment of assignments) assign(copy, assignment);
  return copy;
}

function assign(root: unknown, { path, value }: Assignment): void {
  const keys = path.split(".");
  let container = root;
  for (const [depth, key] of keys.entries()) {
    const members = membersOf(container, keys.slice(0, depth).join("."), path, value);
    if (depth === keys.length - 1) {
      Object.defineProperty(members, memberKey(members, key, path, value), {
        value: structuredClone(value),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    } else {
      const next: unknown = Object.hasOwn(members, key) ? members[key] : undefined;
      container = next ?? {};
      if (next === undefined || next === null) {
        members[memberKey(members, key, path, value)] = container;
      }
    }
  }
}

function membersOf(
  container: unknown,
  at: string,
  path: string,
  value: JsonValue,
): Record<string, unknown> {
  if (container !== null && typeof container === "object") {
    return container as Record<string, unknown>;
  }
  throw new ConfigError(
    path,
    value,
    `left out (${at} is ${JSON.stringify(container)}, which has no keys)`,
  );
}

/** Refuses what would not become an own, ordinary member. */
function memberKey(
  members: Record<string, unknown>,
  key: string,
  path: string,
  value: JsonValue,
): string {
  if (Array.isArray(members)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index > members.length) {
      throw new ConfigError(path, value, `set at an index from 0 to ${members.length}`);
    }
  } else if (key in Object.prototype) {
    throw new ConfigError(path, value, "left out (unknown key)");
  }
  return key;
}

function parseValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
