import { TensorBoardWriter } from "@signalbox/signalbox/metrics";
import assert from "node:assert/strict";
import { isTensorBoardInstalled, readWithTensorBoard, skipNote } from "../_tensorboard.ts";
import { withFolder } from "../_helpers.ts";

/** Writes one event of every kind. */
async function writeSample(folder: string): Promise<void> {
  let now = 1_700_000_000;
  await using writer = await TensorBoardWriter.create(folder, { nowSeconds: () => now++ });
  writer.hparams({ lr: 3e-4, reward_mode: "delta", masked: true });
  writer.scalar("Training/PolicyLoss", -0.25, 4096);
  writer.scalar("Training/PolicyLoss", NaN, 2 ** 40);
  writer.histogram("Actions/Replica", [0, 1, 1, 3, NaN], 4096);
  writer.histogram("Actions/None", [], 4096);
  writer.text("Run/Config", "**été**", 0);
}

Deno.test("TensorBoardWriter frames a scalar event byte by byte as TFRecord and protobuf say", async () => {
  await withFolder(async (folder) => {
    const writer = await TensorBoardWriter.create(folder, { nowSeconds: () => 2 });
    writer.scalar("a", 1, 3);
    await writer.close();
    const bytes = await Deno.readFile(`${folder}/events.out.tfevents.0000000002.signalbox`);
    // first record: wall_time 2.0, step 0, file_version
    const version = [
      ...[0x09, 0, 0, 0, 0, 0, 0, 0, 0x40],
      ...[0x10, 0],
      ...[0x1a, 13, ...new TextEncoder().encode("brain.Event:2")],
    ];
    assert.deepEqual([...bytes.slice(0, 8)], [version.length, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...bytes.slice(12, 12 + version.length)], version);
    // second record: wall_time 2.0, step 3, summary { value { tag: "a", simple_value: 1 } }
    const start = version.length + 16;
    const scalar = [
      ...[0x09, 0, 0, 0, 0, 0, 0, 0, 0x40],
      ...[0x10, 3],
      ...[0x2a, 10, 0x0a, 8, 0x0a, 1, 0x61, 0x15, 0, 0, 0x80, 0x3f],
    ];
    assert.deepEqual([...bytes.slice(start, start + 8)], [scalar.length, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...bytes.slice(start + 12, start + 12 + scalar.length)], scalar);
    assert.equal(bytes.length, start + scalar.length + 16);
  });
});

Deno.test("TensorBoardWriter refuses steps that are none and events after closing", async () => {
  await withFolder(async (folder) => {
    const writer = await TensorBoardWriter.create(folder, { nowSeconds: () => 7 });
    assert.throws(() => writer.scalar("a", 1, -1), {
      name: "RangeError",
      message: "Cannot write event: step must be an integer >= 0, current value is -1",
    });
    await assert.rejects(
      () => TensorBoardWriter.create(folder, { nowSeconds: () => 7 }),
      Deno.errors.AlreadyExists,
    );
    await writer.close();
    await writer.close();
    assert.throws(
      () => writer.scalar("a", 1, 1),
      /the writer must be open, current state is closed/,
    );
  });
});

Deno.test({
  name: `TensorBoard reads back what TensorBoardWriter wrote${skipNote}`,
  ignore: !isTensorBoardInstalled,
  fn: async () => {
    await withFolder(async (folder) => {
      await writeSample(folder);
      assert.deepEqual(await readWithTensorBoard(folder), {
        scalars: {
          "Training/PolicyLoss": [
            [4096, 1_700_000_003, "-0.25"],
            [2 ** 40, 1_700_000_004, "nan"],
          ],
        },
        histograms: {
          "Actions/Replica": [0, 3, 4, 5, 11, 4],
          "Actions/None": [0, 0, 0, 0, 0, 0],
        },
        texts: { "Run/Config/text_summary": "**été**" },
        hparams: { lr: 3e-4, reward_mode: "delta", masked: true },
      });
    });
  },
});
