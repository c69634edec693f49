/**
 * All keys of an experiment with their defaults, for people and editors.
 *
 * @module
 */
import { z } from "zod";
import { experimentSchema } from "./experiment_schema.ts";
import { isRecord } from "./json.ts";
import { presetChanges, presetNames } from "./presets.ts";

type JsonSchema = Record<string, unknown>;

/**
 * JSON schema of what may be written. A key's `default` is that of the preset `default`; where a
 * preset differs from the schema's own default, the description says so, with its source.
 *
 * @example
 * ```ts
 * import { experimentJsonSchema } from "@signalbox/signalbox/config";
 * import assert from "node:assert/strict";
 *
 * const { properties } = experimentJsonSchema();
 * assert.match(JSON.stringify(properties), /preset seed: 0\.15/);
 * ```
 */
export function experimentJsonSchema(): JsonSchema {
  const { properties, ...schema } = z.toJSONSchema(experimentSchema, { io: "input" }) as JsonSchema;
  const preset = {
    enum: presetNames,
    default: presetNames[0],
    description: "Set of defaults under the keys given; deno task config --presets compares them",
  };
  const annotated = { ...schema, properties: { preset, ...properties as JsonSchema } };
  for (const name of presetNames) {
    const kinds = new Map<string, unknown>();
    for (const { path, value, source } of presetChanges[name]) {
      const keys = path.split(".");
      if (keys.at(-1) === "kind") kinds.set(keys.slice(0, -1).join("."), value);
      const target = keys.at(-1) === "kind" ? keys.slice(0, -1) : keys;
      const shown = keys.at(-1) === "kind" ? { kind: value } : value;
      for (const node of nodesAt(annotated, target, kinds)) {
        if (name === "default") node.default = shown;
        const note = `preset ${name}: ${JSON.stringify(shown)} (${source})`;
        node.description = node.description === undefined ? note : `${node.description}; ${note}`;
      }
    }
  }
  return annotated;
}

/** The schemas of a key, one for each alternative that has it; blocks only of the kind given. */
function nodesAt(
  schema: JsonSchema,
  keys: readonly string[],
  kinds: ReadonlyMap<string, unknown>,
): JsonSchema[] {
  let nodes = [schema];
  for (const [depth, key] of keys.entries()) {
    const kind = kinds.get(keys.slice(0, depth).join("."));
    nodes = nodes.flatMap(alternatives).flatMap(({ properties }) => {
      if (!isRecord(properties) || !isRecord(properties[key])) return [];
      if (kind !== undefined && (properties.kind as JsonSchema).const !== kind) return [];
      return [properties[key]];
    });
  }
  return nodes;
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  const { oneOf = [], anyOf = [] } = schema as Record<"oneOf" | "anyOf", JsonSchema[] | undefined>;
  return [schema, ...oneOf, ...anyOf];
}
