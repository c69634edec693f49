/**
 * Plain data with arrays in it, split into JSON and named arrays, and joined again.
 *
 * @module
 */
import { isRecord, type JsonValue } from "../../config/mod.ts";
import type { Tensor, TensorValues } from "./safetensors.ts";

/** Key of the placeholder of a record `{shape, values}`: its value is the tensor's name. */
const TENSOR = "$tensor";

/** Key of the placeholder of a bare typed array. */
const ARRAY = "$array";

/** Plain data, its arrays apart. */
export interface TensorTree {
  /** The data with a placeholder for each array. */
  readonly json: JsonValue;
  /** The arrays by dotted path; nothing is copied. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/**
 * Splits plain data: records `{shape, values}` and bare typed arrays (float64, float32, int32,
 * uint8) become tensors named by their dotted path, everything else stays.
 *
 * @throws {TypeError} For what JSON cannot hold faithfully, e.g. NaN outside an array.
 */
export function splitTensors(data: unknown): TensorTree {
  const tensors: Record<string, Tensor> = {};

  function split(value: unknown, path: string): JsonValue {
    if (isTypedArray(value)) {
      tensors[path] = { shape: [value.length], values: value };
      return { [ARRAY]: path };
    }
    if (isTensor(value)) {
      tensors[path] = value;
      return { [TENSOR]: path };
    }
    if (Array.isArray(value)) return value.map((item, i) => split(item, `${path}.${i}`));
    if (isRecord(value)) {
      // Sorted, so that the order in which keys were written does not show in a file.
      const entries = Object.entries(value).filter(([, item]) => item !== undefined)
        .sort(([a], [b]) => a < b ? -1 : 1);
      return Object.fromEntries(
        entries.map(([key, item]) => [key, split(item, path === "" ? key : `${path}.${key}`)]),
      );
    }
    if (value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value)) {
      return value as JsonValue;
    }
    throw new TypeError(
      `Cannot save a state: ${path} must be null, a boolean, a finite number, a string, a typed array, a list or a plain object, current value is ${
        String(value)
      }`,
    );
  }
  return { json: split(data, ""), tensors };
}

/**
 * The inverse of {@linkcode splitTensors}.
 *
 * @throws {SyntaxError} When a placeholder names no array.
 */
export function joinTensors({ json, tensors }: TensorTree): unknown {
  if (Array.isArray(json)) return json.map((item) => joinTensors({ json: item, tensors }));
  if (!isRecord(json)) return json;
  const name = json[TENSOR] ?? json[ARRAY];
  if (typeof name === "string") {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (tensor === undefined) {
      throw new SyntaxError(`Cannot restore a state: array ${name} must be in the file`);
    }
    return TENSOR in json ? tensor : tensor.values;
  }
  return Object.fromEntries(
    Object.entries(json).map(([key, item]) => [
      key,
      joinTensors({ json: item as JsonValue, tensors }),
    ]),
  );
}

function isTypedArray(value: unknown): value is TensorValues {
  return value instanceof Float64Array || value instanceof Float32Array ||
    value instanceof Int32Array || value instanceof Uint8Array;
}

function isTensor(value: unknown): value is Tensor {
  return isRecord(value) && Object.keys(value).length === 2 && Array.isArray(value.shape) &&
    isTypedArray(value.values);
}
