import assert from "node:assert/strict";
import { z } from "zod";
import { ConfigError, parseConfig } from "../../lib/support/mod.ts";

const schema = z.strictObject({
  lr: z.number().positive().default(3e-4),
  mode: z.enum(["delta", "hybrid"]).default("hybrid"),
  replicas: z.array(z.strictObject({ gpu: z.string() })).default([]),
});

/** Message of the ConfigError that parsing `input` throws. */
function refusal(input: unknown): string {
  try {
    parseConfig(schema, input, "ppo");
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

Deno.test("parseConfig() fills in defaults", () => {
  assert.deepEqual(parseConfig(schema, {}), { lr: 3e-4, mode: "hybrid", replicas: [] });
});

Deno.test("parseConfig() names the kinds that there are when none is meant", () => {
  const kinds = z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("a") }),
    z.strictObject({ kind: z.enum(["b", "c"]), x: z.number() }),
  ]);
  assert.throws(() => parseConfig(kinds, { kind: "d" }, "timer"), {
    name: "ConfigError",
    message: /: timer\.kind must be one of "a", "b", "c", current value is "d"$/,
  });
});

Deno.test("parseConfig() tells what a union without a discriminator takes", () => {
  const union = z.strictObject({
    efficiency: z.union([z.string().min(1), z.strictObject({ matmul: z.number().positive() })]),
  });
  const cases: [unknown, RegExp][] = [
    [{ efficiency: 5 }, /: efficiency must be of type string or of type object, .* is 5$/],
    [{ efficiency: { matmul: 0 } }, /: efficiency\.matmul must be > 0, current value is 0$/],
    [{ efficiency: { matmul: 1, x: 2 } }, /: efficiency\.x must be left out \(unknown key\), /],
    [{ efficiency: "" }, /: efficiency must be of >= 1 characters, current value is ""$/],
  ];
  for (const [input, message] of cases) {
    assert.throws(() => parseConfig(union, input), { name: "ConfigError", message });
  }
});

Deno.test("parseConfig() says that numbers are finite and how much a list must hold", () => {
  const lists = z.strictObject({ rate: z.number(), seeds: z.array(z.int()).min(1).max(2) });
  const cases: [unknown, RegExp][] = [
    [{ rate: NaN, seeds: [1] }, /: rate must be a finite number, /],
    [{ rate: -Infinity, seeds: [1] }, /: rate must be a finite number, /],
    [{ rate: 1, seeds: [] }, /: seeds must be of >= 1 entries, current value is \[\]$/],
    [{ rate: 1, seeds: [1, 2, 3] }, /: seeds must be of <= 2 entries, current value is \[1,2,3\]$/],
  ];
  for (const [input, message] of cases) {
    assert.throws(() => parseConfig(lists, input), { name: "ConfigError", message });
  }
});

Deno.test("parseConfig() names the field, the value and what is allowed", () => {
  const head = "Cannot use this configuration: ";
  assert.equal(refusal({ lr: "x" }), `${head}ppo.lr must be of type number, current value is "x"`);
  assert.equal(refusal({ lr: 0 }), `${head}ppo.lr must be > 0, current value is 0`);
  assert.equal(
    refusal({ mode: "best" }),
    `${head}ppo.mode must be one of "delta", "hybrid", current value is "best"`,
  );
  assert.equal(
    refusal({ learningRate: 1 }),
    `${head}ppo.learningRate must be left out (unknown key), current value is 1`,
  );
  assert.equal(
    refusal({ replicas: [{ gpu: "a100" }, { gpu: 3 }] }),
    `${head}ppo.replicas.1.gpu must be of type string, current value is 3`,
  );
  assert.equal(
    refusal(null),
    `${head}ppo must be of type object, current value is null`,
  );
});
