/**
 * The profiles of `data/profiles`.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { ConfigError, parseConfig } from "../support/mod.ts";
import { type AnalyticProfile, analyticProfileSchema } from "./analytic_profile.ts";
import { profileSchema, type TimingProfile } from "./profile_schema.ts";

/** Where the shipped profiles are. */
const FOLDER = new URL("../../data/profiles/", import.meta.url);

/** File name of a profile: `a100_Llama-2-7b-hf.json`, without the model's organisation. */
export function profileFileName(gpu: string, model: string): string {
  return `${gpu}_${model.slice(model.lastIndexOf("/") + 1)}.json`;
}

/** File names of all shipped profiles, sorted. */
export function listShippedProfiles(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith(".json")).sort();
}

/**
 * Loads the shipped profile of a model on a kind of GPU.
 *
 * @returns `undefined` when there is none.
 *
 * @example
 * ```ts
 * import { loadShippedProfile } from "@signalbox/signalbox/timing";
 * import assert from "node:assert/strict";
 *
 * const profile = loadShippedProfile("a100", "meta-llama/Llama-2-70b-hf")!;
 * assert.deepEqual(profile.degrees.map(({ tensorParallel }) => tensorParallel), [1, 2, 4, 8]);
 * assert.equal(loadShippedProfile("a100", "nobody/nothing"), undefined);
 * ```
 */
export function loadShippedProfile(gpu: string, model: string): TimingProfile | undefined {
  const name = profileFileName(gpu, model);
  if (!listShippedProfiles().includes(name)) return undefined;
  const profile = loadProfile(new URL(name, FOLDER));
  return profile.kind === "tables" && profile.model === model ? profile : undefined;
}

/** All shipped profiles, in order of their file names. */
export function shippedProfiles(): TimingProfile[] {
  return listShippedProfiles().map((name) => loadProfile(new URL(name, FOLDER)))
    .filter((profile) => profile.kind === "tables");
}

const fileSchema = z.discriminatedUnion("kind", [profileSchema, analyticProfileSchema]);

/**
 * Loads a profile and checks it.
 *
 * @param path A file written by `deno task profile fit` or `calibrate`.
 * @throws {ConfigError} When it cannot be read or is not a profile of a known version.
 */
export function loadProfile(path: string | URL): TimingProfile | AnalyticProfile {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = error instanceof SyntaxError ? "holds no JSON" : "cannot be read";
    throw new ConfigError("profile", String(path), `a file with a profile; this one ${reason}`);
  }
  return parseConfig<TimingProfile | AnalyticProfile>(fileSchema, input, `profile ${path}`);
}
