/**
 * The trained policies of `data/policies`.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../support/mod.ts";
import { type LoadPolicyOptions, loadTrainedPolicy, type TrainedPolicy } from "./trained_policy.ts";

const FOLDER = new URL("../../data/policies/", import.meta.url);
const SUFFIX = ".safetensors";

/**
 * Names of the shipped policies, sorted; `data/policies/<name>.json` says how each was made and what
 * it reached in validation.
 */
export function listShippedPolicies(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length)).sort();
}

/**
 * File of a shipped policy.
 *
 * @throws {ConfigError} When there is none of that name; the message lists those there are.
 */
export function shippedPolicyPath(name: string): string {
  const names = listShippedPolicies();
  if (!names.includes(name)) throw new ConfigError("policy", name, `one of ${names.join(", ")}`);
  return fileURLToPath(new URL(`${name}${SUFFIX}`, FOLDER));
}

/**
 * Loads a shipped policy to act with. Both serve clusters of any size.
 *
 * @param name `general`, trained on several scenarios and clusters of 2 to 16 replicas, or `mixed`,
 *   trained on the scenario of that name.
 * @throws {ConfigError} When there is none of that name.
 *
 * @example
 * ```ts
 * import { loadShippedPolicy, useSimdBackend } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * await useSimdBackend();
 * const trained = await loadShippedPolicy("general", { replicaCount: 6 });
 * assert.equal(trained.replicaCount, 6);
 * trained.policy.dispose();
 * ```
 */
export async function loadShippedPolicy(
  name: string,
  options: LoadPolicyOptions = {},
): Promise<TrainedPolicy> {
  return await loadTrainedPolicy(shippedPolicyPath(name), options);
}
