/** Keys that matter under the same settings. */
import type { JsonValue } from "../../lib/config/mod.ts";
import type { Observation } from "./_keys.ts";

/** Values by id, see `schemaKeys`. */
export type Keys = Readonly<Record<string, JsonValue>>;

/** Keys of one kind of experiment, each with a value other than it then has. */
export interface KeyGroup {
  readonly look: Observation;
  /** Settings under which the keys matter, beside `BASE`. */
  readonly given?: Keys;
  readonly to: Keys;
}

/** The same keys, further down. */
export function prefixed(prefix: string, keys: Keys): Keys {
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [prefix + key, value]));
}

/** What is left of a value in JSON: no undefined members. */
export function asJson(value: unknown): Keys {
  return JSON.parse(JSON.stringify(value));
}
