/**
 * Writing profiles to files.
 *
 * @module
 */
import { join } from "node:path";
import stringify from "json-stringify-pretty-compact";
import { parseConfig, writeFileAtomic } from "../support/mod.ts";
import { profileSchema, type TimingProfile } from "./profile_schema.ts";
import { profileFileName } from "./shipped_profiles.ts";

/** Longest line: a curve stays on one. */
const MAX_LENGTH = 400;

/**
 * Writes a profile as JSON, one curve a line, under the name that its GPU and model give it.
 *
 * @returns Path of the file.
 * @throws {ConfigError} When it is not a valid profile; nothing is written then.
 */
export async function writeProfile(folder: string, profile: TimingProfile): Promise<string> {
  const valid = parseConfig<TimingProfile>(profileSchema, profile, "profile");
  const path = join(folder, profileFileName(valid.gpu, valid.model));
  await Deno.mkdir(folder, { recursive: true });
  await writeFileAtomic(path, `${stringify(valid, { indent: 1, maxLength: MAX_LENGTH })}\n`);
  return path;
}
