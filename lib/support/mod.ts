/**
 * What every layer needs and no layer owns: errors, safe file writing, CSV and JSON Lines.
 *
 * @module
 */
export { writeFileAtomic } from "./atomic_write.ts";
export { ConfigError, TraceError, UsageError } from "./errors.ts";
export { isFolderLocked, lockFolder } from "./folder_lock.ts";
export { parseConfig } from "./parse_config.ts";
export { type CsvOptions, type CsvRecord, readCsvRecords } from "./read_csv.ts";
export { type JsonLine, readJsonLines } from "./read_json_lines.ts";
