import { decodeSafetensors, encodeSafetensors } from "../../lib/training/mod.ts";
import assert from "node:assert/strict";
import fc from "fast-check";

const FILE = {
  tensors: {
    flags: { shape: [3], values: Uint8Array.of(1, 0, 1) },
    weights: { shape: [2, 3], values: Float32Array.of(1, -0, NaN, Infinity, 1e-45, 3.5) },
    indices: { shape: [1], values: Int32Array.of(-7) },
    means: { shape: [2], values: Float64Array.of(Math.PI, 5e-324) },
    nothing: { shape: [0, 4], values: new Float32Array(0) },
    scalar: { shape: [], values: Float32Array.of(2) },
  },
  metadata: { note: 'quotes " and Zürich', empty: "" },
};

/**
 * `save_file({"x": arange(6, dtype=float32).reshape(2, 3), "y": array([pi]), "z": array([1, 2],
 * dtype=uint8)}, path, metadata={"a": "b"})` of safetensors 0.8.0 and NumPy.
 */
const WRITTEN_BY_PYTHON = [
  "wAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJhIjoiYiJ9LCJ5Ijp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlsxXSwi",
  "ZGF0YV9vZmZzZXRzIjpbMCw4XX0sIngiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0",
  "cyI6WzgsMzJdfSwieiI6eyJkdHlwZSI6IlU4Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMzIsMzRdfX0g",
  "ICAYLURU+yEJQAAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQAEC",
].join("");

/** The bytes of a file with another header. */
function withHeader(text: string): Uint8Array {
  const header = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

Deno.test("encodeSafetensors() lays a file out as the format says", () => {
  const bytes = encodeSafetensors({
    tensors: { b: { shape: [1], values: Float32Array.of(1) } },
    metadata: { k: "v" },
  });
  const header = '{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const data = [0, 0, 0x80, 0x3f]; // 1 as a little-endian float32
  assert.deepEqual(
    [...bytes],
    [padded.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(padded), ...data],
  );
});

Deno.test("decodeSafetensors() reads what the safetensors package for Python wrote", () => {
  const bytes = Uint8Array.from(atob(WRITTEN_BY_PYTHON), (letter) => letter.charCodeAt(0));
  assert.deepEqual(decodeSafetensors(bytes), {
    tensors: {
      x: { shape: [2, 3], values: Float32Array.of(0, 1, 2, 3, 4, 5) },
      y: { shape: [1], values: Float64Array.of(Math.PI) },
      z: { shape: [2], values: Uint8Array.of(1, 2) },
    },
    metadata: { a: "b" },
  });
});

Deno.test("decodeSafetensors() gives back what was encoded, bit by bit", () => {
  const { tensors, metadata } = decodeSafetensors(encodeSafetensors(FILE));
  assert.deepEqual(metadata, FILE.metadata);
  assert.deepEqual(tensors, FILE.tensors);
  assert.ok(Object.is(tensors.weights!.values[1], -0));
});

Deno.test("encodeSafetensors() gives equal bytes for what was decoded", () => {
  const name = fc.stringMatching(/^[a-z.]{1,8}$/);
  const values = fc.oneof(
    fc.float32Array({ maxLength: 5 }),
    fc.float64Array({ maxLength: 5 }),
    fc.int32Array({ maxLength: 5 }),
    fc.uint8Array({ maxLength: 5 }),
  ).map((array) => ({ shape: [array.length], values: array }));
  fc.assert(fc.property(fc.dictionary(name, values), (tensors) => {
    const bytes = encodeSafetensors({ tensors, metadata: {} });
    assert.deepEqual(encodeSafetensors(decodeSafetensors(bytes)), bytes);
  }));
});

Deno.test("encodeSafetensors() refuses a shape that does not fit", () => {
  const tensors = { w: { shape: [2, 2], values: new Float32Array(3) } };
  assert.throws(
    () => encodeSafetensors({ tensors, metadata: {} }),
    { name: "RangeError", message: /w must have 4 values, current value is 3/ },
  );
});

Deno.test("decodeSafetensors() refuses every truncation", () => {
  const bytes = encodeSafetensors(FILE);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeSafetensors(bytes.subarray(0, length)), SyntaxError);
  }
});

Deno.test("decodeSafetensors() refuses what the format does not allow, with the reason", () => {
  const entry = (text: string) => withHeader(`{"w":${text}}`);
  const cases: [Uint8Array, RegExp][] = [
    [withHeader("[]"), /header must be an object/],
    [withHeader("{"), /header must be JSON/],
    [withHeader('{"__metadata__":{"k":1}}'), /__metadata__\.k must be a text/],
    [entry('{"dtype":"BF16","shape":[0],"data_offsets":[0,0]}'), /dtype of w must be one of F64/],
    [entry('{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}'), /shape of w must be/],
    [entry('{"dtype":"F32","shape":[1],"data_offsets":[0]}'), /data_offsets of w must be two/],
    [entry('{"dtype":"F32","shape":[1],"data_offsets":[0,8]}'), /must be \[0, 4\]/],
    [entry('{"dtype":"F32","shape":[0],"data_offsets":[4,4]}'), /must be \[0, 0\]/],
    [new Uint8Array([...withHeader("{}"), 0]), /the file must have 10 bytes, current value is 11/],
    [new Uint8Array(8).fill(255), /header must have at most/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => decodeSafetensors(bytes), { name: "SyntaxError", message });
  }
});
