/**
 * The safetensors file format: named arrays behind a JSON header.
 *
 * @module
 */

/** Arrays that a file can hold. */
export type TensorValues = Float64Array | Float32Array | Int32Array | Uint8Array;

/** A named array of a safetensors file. */
export interface Tensor {
  /** Dimensions; their product is `values.length`. */
  readonly shape: readonly number[];
  /** Row-major values; the class of the array decides the dtype: F64, F32, I32 or U8. */
  readonly values: TensorValues;
}

/** Contents of a safetensors file. */
export interface SafetensorsFile {
  /** Arrays by name. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Free text by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Header of a safetensors file, and where its data begin. */
export interface SafetensorsHeader {
  /** Free text by key. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What is said of each array. */
  readonly entries: Readonly<Record<string, TensorEntry>>;
  /** Position of the first byte after the header. */
  readonly dataOffset: number;
}

/** What the header says of one array. */
export interface TensorEntry {
  /** Type of the numbers. */
  readonly dtype: Dtype;
  /** Dimensions. */
  readonly shape: readonly number[];
  /** First byte and the one after the last, counted from the end of the header. */
  readonly "data_offsets": readonly [number, number];
}

const ARRAY_OF = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;

/** Type of numbers that this reader and writer know. */
export type Dtype = keyof typeof ARRAY_OF;

/** Key of the free text in the header; source: the format's description. */
const METADATA_KEY = "__metadata__";

/** Bytes of the header's length. */
const LENGTH_BYTES = 8;

/** Largest header; source: the limit of the format's reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

/** Arrays begin at multiples of this, the width of the widest number. */
const ALIGNMENT = 8;

/**
 * Bytes of a safetensors file: header length (8 bytes, little-endian), JSON header padded with
 * spaces, then the arrays without gaps, little-endian, the wider types first so that all are aligned.
 *
 * Source: the format section of the README of huggingface/safetensors.
 *
 * @throws {RangeError} When a shape does not fit its values.
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from "@signalbox/signalbox/training";
 * import assert from "node:assert/strict";
 *
 * const file = {
 *   tensors: { "head.bias": { shape: [2], values: Float32Array.of(1, 2) } },
 *   metadata: { step: "3" },
 * };
 * assert.deepEqual(decodeSafetensors(encodeSafetensors(file)), file);
 * ```
 */
export function encodeSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array<ArrayBuffer> {
  const named = Object.entries(tensors)
    .sort(([, a], [, b]) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT);
  const header: Record<string, unknown> = { [METADATA_KEY]: metadata };
  let dataBytes = 0;
  for (const [name, { shape, values }] of named) {
    if (product(shape) !== values.length) {
      throw new RangeError(
        `Cannot encode safetensors: ${name} must have ${
          product(shape)
        } values, current value is ${values.length}`,
      );
    }
    const end = dataBytes + values.byteLength;
    header[name] = { dtype: dtypeOf(values), shape, data_offsets: [dataBytes, end] };
    dataBytes = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  bytes.set(text, LENGTH_BYTES);
  let offset = LENGTH_BYTES + headerBytes;
  for (const [, { values }] of named) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}

/**
 * Contents of a safetensors file.
 *
 * @returns New arrays.
 * @throws {SyntaxError} When the bytes are not a whole file of the format, or a type is not known.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { metadata, entries, dataOffset } = decodeSafetensorsHeader(bytes);
  const tensors: Record<string, Tensor> = {};
  let expected = 0;
  const inFileOrder = Object.entries(entries)
    .sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  for (const [name, { dtype, shape, data_offsets: [begin, end] }] of inFileOrder) {
    const width = ARRAY_OF[dtype].BYTES_PER_ELEMENT;
    if (begin !== expected || end - begin !== product(shape) * width) {
      refuse(
        `data_offsets of ${name} must be [${expected}, ${expected + product(shape) * width}]`,
        `[${begin}, ${end}]`,
      );
    }
    expected = end;
    // A copy, because a view would have to be aligned.
    const data = bytes.slice(dataOffset + begin, dataOffset + end);
    if (data.length !== end - begin) {
      refuse(`the file must have ${dataOffset + end} bytes for ${name}`, bytes.length);
    }
    tensors[name] = { shape, values: new ARRAY_OF[dtype](data.buffer) };
  }
  if (dataOffset + expected !== bytes.length) {
    refuse(`the file must have ${dataOffset + expected} bytes`, bytes.length);
  }
  return { tensors, metadata };
}

/**
 * Header of a safetensors file.
 *
 * @param bytes The file, or as much of its beginning as holds the header.
 * @throws {SyntaxError} When there is no whole header of the format.
 */
export function decodeSafetensorsHeader(bytes: Uint8Array): SafetensorsHeader {
  if (bytes.length < LENGTH_BYTES) refuse(`the file must have ${LENGTH_BYTES} bytes`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES) {
    refuse(`the header must have at most ${MAX_HEADER_BYTES} bytes`, headerBytes);
  }
  const dataOffset = LENGTH_BYTES + headerBytes;
  if (bytes.length < dataOffset) refuse(`the file must have ${dataOffset} bytes`, bytes.length);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataOffset));
  const { [METADATA_KEY]: metadata = {}, ...entries } = header;
  if (!isRecord(metadata)) refuse(`${METADATA_KEY} must be an object`, metadata);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") refuse(`${METADATA_KEY}.${key} must be a text`, value);
  }
  for (const [name, entry] of Object.entries(entries)) checkEntry(name, entry);
  return {
    metadata: metadata as Record<string, string>,
    entries: entries as Record<string, TensorEntry>,
    dataOffset,
  };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SyntaxError("Cannot read safetensors: the header must be JSON in UTF-8", { cause });
  }
  if (!isRecord(header)) refuse("the header must be an object", header);
  return header;
}

function checkEntry(name: string, entry: unknown): void {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== "string" || !Object.hasOwn(ARRAY_OF, dtype)) {
    refuse(`dtype of ${name} must be one of ${Object.keys(ARRAY_OF).join(", ")}`, dtype);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    refuse(`shape of ${name} must be a list of integers >= 0`, shape);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    refuse(`data_offsets of ${name} must be two integers >= 0`, offsets);
  }
}

function dtypeOf(values: TensorValues): Dtype {
  const dtypes = Object.keys(ARRAY_OF) as Dtype[];
  return dtypes.find((dtype) => values instanceof ARRAY_OF[dtype])!;
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, dimension) => count * dimension, 1);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function refuse(requirement: string, value: unknown): never {
  throw new SyntaxError(
    `Cannot read safetensors: ${requirement}, current value is ${JSON.stringify(value)}`,
  );
}
