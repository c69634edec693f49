/** Reading event files with TensorBoard itself. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** Reads a folder with TensorBoard and prints what it found as JSON. */
const READER = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
accumulator = EventAccumulator(sys.argv[1], size_guidance={"tensors": 0, "scalars": 0, "histograms": 0})
accumulator.Reload()
scalars = {tag: [(e.step, e.wall_time, repr(e.value)) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
histograms = {}
for tag in accumulator.Tags()["histograms"]:
    value = accumulator.Histograms(tag)[0].histogram_value
    histograms[tag] = [value.min, value.max, value.num, value.sum, value.sum_squares, sum(value.bucket)]
texts = {tag: accumulator.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in accumulator.Tags()["tensors"] if "text_summary" in tag}
content = accumulator.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
hparams = {name: value.number_value or value.string_value or value.bool_value for name, value in start.hparams.items()}
print(json.dumps({"scalars": scalars, "histograms": histograms, "texts": texts, "hparams": hparams}))
`;

/** What TensorBoard sees in a folder. */
export interface TensorBoardContent {
  /** Step, wall time and Python's text of the value of every point. */
  readonly scalars: Readonly<Record<string, readonly [number, number, string][]>>;
  /** Smallest, largest, count, sum, sum of squares and sum of buckets of the first one. */
  readonly histograms: Readonly<Record<string, readonly number[]>>;
  /** The first one of a tag. */
  readonly texts: Readonly<Record<string, string>>;
  /** Hyperparameters. */
  readonly hparams: Readonly<Record<string, number | string | boolean>>;
}

/** Python of the project's virtual environment. */
const python = fileURLToPath(new URL("../.venv/bin/python", import.meta.url));

async function hasTensorBoard(): Promise<boolean> {
  try {
    const command = new Deno.Command(python, { args: ["-c", "import tensorboard"] });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether TensorBoard is installed in the project's virtual environment. */
export const isTensorBoardInstalled: boolean = await hasTensorBoard();

/** To be added to the name of a test that needs it. */
export const skipNote: string = isTensorBoardInstalled ? "" : " (skipped: no tensorboard in .venv)";

/** Reads the event files of a folder, which must state hyperparameters. */
export async function readWithTensorBoard(folder: string): Promise<TensorBoardContent> {
  const command = new Deno.Command(python, { args: ["-c", READER, folder] });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}
