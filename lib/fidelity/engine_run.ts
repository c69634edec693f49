/**
 * Measured runs of a serving engine.
 *
 * @module
 */
import { type EngineLog, readEngineLog } from "./engine_log.ts";
import {
  type EngineSettings,
  type EngineSettingsSources,
  readEngineSettings,
} from "./engine_settings.ts";

/** One run of vLLM: its requests, what it took for them, and how it was set. */
export interface EngineRun extends EngineLog, EngineSettings {}

/**
 * Reads a run as the benchmark of LLMServingSim records it: `requests.jsonl` (see
 * {@linkcode readEngineLog}), `meta.json` and `cluster.json` (see {@linkcode readEngineSettings}).
 *
 * @param folder Folder of the three files.
 * @param given What is not stated there.
 * @throws {TraceError} When a file cannot be read or is no such file.
 * @throws {ConfigError} When a setting is missing, or GPU or model are not in the catalogue.
 */
export async function readEngineRun(
  folder: string,
  given: EngineSettingsSources = {},
): Promise<EngineRun> {
  const settings = await readEngineSettings({
    ...given,
    meta: `${folder}/meta.json`,
    cluster: `${folder}/cluster.json`,
  });
  return { ...settings, ...await readEngineLog(`${folder}/requests.jsonl`) };
}
