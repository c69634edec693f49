/**
 * A training run, or the policy it left, as one file.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalJson, type ExperimentConfig, parseExperimentConfig } from "../../config/mod.ts";
import type { NamedWeights } from "../../policy/mod.ts";
import type { NormalizerState } from "../../state/mod.ts";
import { joinTensors, splitTensors } from "./_tensor_tree.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import {
  decodeSafetensors,
  decodeSafetensorsHeader,
  encodeSafetensors,
  type SafetensorsHeader,
} from "./safetensors.ts";
import type { TrainingState } from "./training_state.ts";

/** Version of the layout of a checkpoint; files of any other are refused. */
export const CHECKPOINT_VERSION = 2;

const FORMAT = "signalbox-checkpoint";

/** Stands in the file for the checksum while the checksum is computed. */
const BLANK_CHECKSUM = "0".repeat(64);

/** Everything that a checkpoint holds. */
export interface Checkpoint extends CheckpointSummary {
  /** The experiment. */
  readonly config: ExperimentConfig;
  /** Fingerprint of the meaning of observations, see `StateBuilder.schemaHash`. */
  readonly schemaHash: string;
  /** Replicas that the policy chooses between. */
  readonly replicaCount: number;
  /** The policy's parameters. */
  readonly weights: NamedWeights;
  /** Statistics of the observations. */
  readonly normalizer: NormalizerState;
  /** What else a resumed run needs; null: the policy can act, but its training cannot go on. */
  readonly training: TrainingState | null;
}

/** What is told of a checkpoint without reading all of it. */
export interface CheckpointSummary {
  /** Updates done. */
  readonly update: number;
  /** Decisions taken, over all environments. */
  readonly decisions: number;
  /** What checkpoints are compared by, higher is better; null = not compared. */
  readonly score: number | null;
}

/**
 * Bytes of a checkpoint: a safetensors file with all arrays (weights, optimiser, hidden states as
 * float32, statistics of the normaliser as float64) and, as its metadata, `format`, `version`,
 * `summary`, `config`, `state` (everything else as JSON) and `sha256`, the checksum of the whole
 * file with the checksum itself read as 64 zeros. Equal checkpoints give equal bytes.
 *
 * @throws {TypeError} When a number outside the arrays is not finite.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { config, update, decisions, score, normalizer, ...rest } = checkpoint;
  const { json, tensors } = splitTensors({ ...rest, normalizer: toArrays(normalizer) });
  const bytes = encodeSafetensors({
    tensors,
    metadata: {
      format: FORMAT,
      version: String(CHECKPOINT_VERSION),
      sha256: BLANK_CHECKSUM,
      summary: canonicalJson({ update, decisions, score }),
      config: canonicalJson(config),
      state: canonicalJson(json),
    },
  });
  const checksum = new TextEncoder().encode(sha256(bytes));
  bytes.set(checksum, checksumOffset(bytes));
  return bytes;
}

/**
 * The checkpoint in `bytes`, every bit checked against the checksum.
 *
 * @param path Named in errors.
 * @throws {CheckpointError} When the bytes are not a whole, unaltered checkpoint of this version.
 */
export function decodeCheckpoint(bytes: Uint8Array, path: string): Checkpoint {
  const { metadata } = readHeader(bytes, path);
  const blanked = bytes.slice();
  blanked.set(new TextEncoder().encode(BLANK_CHECKSUM), checksumOffset(bytes));
  const actual = sha256(blanked);
  if (actual !== metadata.sha256) {
    throw new CheckpointError(
      path,
      `its SHA-256 must be ${metadata.sha256}, current value is ${actual}: the file is truncated or was altered`,
    );
  }
  try {
    const { tensors } = decodeSafetensors(bytes);
    // The checksum vouches for what follows having been written by encodeCheckpoint.
    const json = JSON.parse(metadata.state!);
    const state = joinTensors({ json, tensors }) as EncodedState;
    return {
      ...state,
      ...JSON.parse(metadata.summary!) as CheckpointSummary,
      config: parseExperimentConfig(JSON.parse(metadata.config!)),
      normalizer: fromArrays(state.normalizer),
    };
  } catch (cause) {
    throw new CheckpointError(path, cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}

/**
 * What a checkpoint's header tells; the rest is neither read nor checked.
 *
 * @param bytes The file, or as much of its beginning as holds the header.
 * @param path Named in errors.
 * @throws {CheckpointError} When there is no header of a checkpoint of this version.
 */
export function decodeCheckpointSummary(bytes: Uint8Array, path: string): CheckpointSummary {
  const { metadata } = readHeader(bytes, path);
  try {
    return JSON.parse(metadata.summary ?? "") as CheckpointSummary;
  } catch (cause) {
    throw new CheckpointError(path, "its summary must be JSON", { cause });
  }
}

type EncodedState =
  & Omit<Checkpoint, keyof CheckpointSummary | "config" | "normalizer">
  & { readonly normalizer: NormalizerArrays };

interface NormalizerArrays {
  readonly slots: Int32Array;
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
  readonly frozen: boolean;
}

function toArrays({ slots, count, mean, m2, frozen }: NormalizerState): NormalizerArrays {
  return {
    slots: Int32Array.from(slots),
    count: Float64Array.from(count),
    mean: Float64Array.from(mean),
    m2: Float64Array.from(m2),
    frozen,
  };
}

function fromArrays({ slots, count, mean, m2, frozen }: NormalizerArrays): NormalizerState {
  return { slots: [...slots], count: [...count], mean: [...mean], m2: [...m2], frozen };
}

function readHeader(bytes: Uint8Array, path: string): SafetensorsHeader {
  let header: SafetensorsHeader;
  try {
    header = decodeSafetensorsHeader(bytes);
  } catch (cause) {
    throw new CheckpointError(path, (cause as Error).message, { cause });
  }
  const { format, version, sha256: checksum } = header.metadata;
  if (format !== FORMAT) {
    throw new CheckpointError(path, `its format must be ${FORMAT}, current value is ${format}`);
  }
  if (version !== String(CHECKPOINT_VERSION)) {
    throw new CheckpointError(
      path,
      `its version must be ${CHECKPOINT_VERSION}, current value is ${version}`,
    );
  }
  if (!/^[0-9a-f]{64}$/.test(checksum ?? "")) {
    throw new CheckpointError(
      path,
      `its checksum must be 64 hexadecimal digits, current value is ${checksum}`,
    );
  }
  return header;
}

/** Position of the checksum's digits: it is the first `"sha256":"` of the file's header. */
function checksumOffset(bytes: Uint8Array): number {
  const key = new TextEncoder().encode('"sha256":"');
  const offset = bytes.findIndex((_, i) => key.every((byte, k) => bytes[i + k] === byte));
  return offset + key.length;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
