import crc32c from "crc-32/crc32c.js";
import { PbfWriter } from "pbf";

/** Value of a hyperparameter. */
export type HparamValue = number | string | boolean;

/** What one TensorBoard event says. Field numbers: spec/practice.md section 7 and TensorBoard's protos. */
export type EventContent =
  | { readonly kind: "version" }
  | { readonly kind: "scalar"; readonly tag: string; readonly value: number }
  | { readonly kind: "histogram"; readonly tag: string; readonly values: ArrayLike<number> }
  | { readonly kind: "text"; readonly tag: string; readonly text: string }
  | { readonly kind: "hparams"; readonly values: Readonly<Record<string, HparamValue>> };

/** Encodes an `Event` message in a TFRecord frame. */
export function encodeEvent(content: EventContent, step: number, wallSeconds: number): Uint8Array {
  const event = new PbfWriter();
  event.writeDoubleField(1, wallSeconds);
  event.writeVarintField(2, step);
  if (content.kind === "version") event.writeStringField(3, "brain.Event:2");
  else event.writeMessage(5, writeSummary, content);
  return frame(event.finish());
}

/** TFRecord: length, masked CRC-32C of the length, data, masked CRC-32C of the data. */
function frame(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return out;
}

/** Source: TensorFlow, `core/lib/hash/crc32c.h`. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

type Summary = Exclude<EventContent, { kind: "version" }>;

function writeSummary(content: Summary, summary: PbfWriter): void {
  summary.writeMessage(1, writeValue, content);
}

function writeValue(content: Summary, value: PbfWriter): void {
  switch (content.kind) {
    case "scalar":
      value.writeStringField(1, content.tag);
      value.writeFloatField(2, content.value);
      return;
    case "histogram":
      value.writeStringField(1, content.tag);
      value.writeMessage(5, writeHistogram, content.values);
      return;
    case "text":
      value.writeStringField(1, `${content.tag}/text_summary`);
      value.writeMessage(8, writeTextTensor, content.text);
      value.writeMessage(9, writeMetadata, { plugin: "text" });
      return;
    case "hparams": {
      const data = new PbfWriter();
      data.writeMessage(3, writeSession, content.values);
      value.writeStringField(1, "_hparams_/session_start_info");
      value.writeMessage(9, writeMetadata, { plugin: "hparams", data: data.finish() });
    }
  }
}

/** `HistogramProto` with 30 buckets of equal width; values that are not finite are left out. */
function writeHistogram(values: ArrayLike<number>, histogram: PbfWriter): void {
  const finite = Array.from(values).filter(Number.isFinite);
  const low = finite.reduce((least, value) => Math.min(least, value), Infinity);
  const high = finite.reduce((most, value) => Math.max(most, value), -Infinity);
  const bucketCount = 30;
  const width = (high - low) / bucketCount || 1;
  const counts = new Array<number>(bucketCount).fill(0);
  let sum = 0;
  let squares = 0;
  for (const value of finite) {
    counts[Math.min(bucketCount - 1, Math.floor((value - low) / width))]!++;
    sum += value;
    squares += value * value;
  }
  histogram.writeDoubleField(1, finite.length > 0 ? low : 0);
  histogram.writeDoubleField(2, finite.length > 0 ? high : 0);
  histogram.writeDoubleField(3, finite.length);
  histogram.writeDoubleField(4, sum);
  histogram.writeDoubleField(5, squares);
  if (finite.length === 0) return;
  histogram.writePackedDouble(6, counts.map((_, bucket) => low + (bucket + 1) * width));
  histogram.writePackedDouble(7, counts);
}

/** `TensorProto` of type DT_STRING (7) and shape [1]. */
function writeTextTensor(text: string, tensor: PbfWriter): void {
  tensor.writeVarintField(1, 7);
  tensor.writeMessage(2, writeUnitShape, 1);
  tensor.writeBytesField(8, new TextEncoder().encode(text));
}

function writeUnitShape(size: number, shape: PbfWriter): void {
  shape.writeMessage(
    2,
    (dimension: number, pbf: PbfWriter) => pbf.writeVarintField(1, dimension),
    size,
  );
}

function writeMetadata(
  plugin: { readonly plugin: string; readonly data?: Uint8Array },
  metadata: PbfWriter,
): void {
  metadata.writeMessage(1, ({ plugin, data }, pbf: PbfWriter) => {
    pbf.writeStringField(1, plugin);
    if (data !== undefined) pbf.writeBytesField(2, data);
  }, plugin);
}

/** `SessionStartInfo`: a map from names to `google.protobuf.Value`. */
function writeSession(values: Readonly<Record<string, HparamValue>>, session: PbfWriter): void {
  for (const entry of Object.entries(values)) {
    session.writeMessage(1, ([name, value]: [string, HparamValue], pbf: PbfWriter) => {
      pbf.writeStringField(1, name);
      pbf.writeMessage(2, writeHparam, value);
    }, entry);
  }
}

function writeHparam(value: HparamValue, pbf: PbfWriter): void {
  if (typeof value === "number") pbf.writeDoubleField(2, value);
  else if (typeof value === "string") pbf.writeStringField(3, value);
  else pbf.writeBooleanField(4, value);
}
