import assert from "node:assert/strict";
import fc from "fast-check";
import {
  canonicalJson,
  type ExperimentInput,
  hashConfig,
  type JsonValue,
  parseExperimentConfig,
  presetNames,
} from "../../lib/config/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";

Deno.test("parseExperimentConfig() fills in defaults that stay when parsed again", () => {
  for (const preset of presetNames) {
    const config = parseExperimentConfig({ preset });
    assert.deepEqual(parseExperimentConfig(config), config);
    assert.deepEqual(parseExperimentConfig(JSON.parse(JSON.stringify(config))), config);
  }
});

Deno.test("parseExperimentConfig() refuses unknown keys, wrong types and values out of range", () => {
  const cases: [unknown, string][] = [
    [{ sed: 1 }, "sed"],
    [{ preset: "sed" }, "preset"],
    [{ ppo: { clip: 0.1 } }, "ppo.clip"],
    [{ ppo: { clipRatio: "0.1" } }, "ppo.clipRatio"],
    [{ ppo: { adamBeta2: 1 } }, "ppo.adamBeta2"],
    [{ ppo: { rolloutLength: 32, sequenceLength: 5 } }, "ppo.sequenceLength"],
    [{ seed: 0.5 }, "seed"],
    [{ training: { environments: 0 } }, "training.environments"],
    [{ training: { episodeRequests: 1 } }, "training.episodeRequests"],
    [{ evaluation: { sampling: ["greedy", "greedy"] } }, "evaluation.sampling"],
    [{ cluster: { replicas: [{ gpu: 3 }] } }, "cluster.replicas.0.gpu"],
    [{ policy: { kind: "mlp", hiddenSize: 8 } }, "policy.hiddenSize"],
    [[], "(root)"],
  ];
  for (const [input, field] of cases) {
    assert.throws(() => parseExperimentConfig(input as ExperimentInput), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.field, field);
      return true;
    });
  }
});

Deno.test("canonicalJson() is the same for every order of keys and parses back", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = canonicalJson(value);
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    assert.equal(canonicalJson(reverseKeys(value as JsonValue)), text);
  }));
});

Deno.test("hashConfig() tells configurations apart that differ in one value", () => {
  const hashes = [0, 1, 2].map((seed) => hashConfig(parseExperimentConfig({ seed })));
  assert.equal(new Set(hashes).size, 3);
  assert.match(hashes[0]!, /^[0-9a-f]{16}$/);
  // echo -n '{"a":1}' | sha256sum
  assert.equal(hashConfig({ a: 1 }), "015abd7f5cc57a2d");
});

Deno.test("canonicalJson() refuses what JSON cannot hold", () => {
  for (const value of [NaN, Infinity, () => 0, new Map(), undefined]) {
    assert.throws(() => canonicalJson(value), TypeError);
  }
});

function reverseKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).reverse();
  const copy: Record<string, JsonValue> = Object.create(null);
  for (const [key, member] of entries) copy[key] = reverseKeys(member);
  return copy;
}

Deno.test("parseExperimentConfig() tells the value function output lengths only where the policy cannot read them", () => {
  const told = (input: Record<string, unknown>) =>
    parseExperimentConfig(input).state.criticSeesOutputTokens;
  assert.equal(told({}), true);
  assert.equal(told({ policy: { sharedEncoder: true } }), false);
  assert.equal(told({ policy: { kind: "mlp" } }), false);
  assert.equal(told({ state: { layout: "vidurrl" } }), false);
  assert.equal(told({ state: { criticSeesOutputTokens: false } }), false);
});
