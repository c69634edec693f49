/**
 * Event files for TensorBoard.
 *
 * @module
 */
import { encodeEvent, type EventContent, type HparamValue } from "./_tensorboard_event.ts";

export type { HparamValue };

/** Settings of {@linkcode TensorBoardWriter}. */
export interface TensorBoardOptions {
  /**
   * Clock for the wall times that every event carries, in seconds since 1970; these are the only
   * bytes of a run that differ between two runs with the same seed, so they are asked for by name.
   */
  readonly nowSeconds: () => number;
  /** Last part of the file name, `"signalbox"` by default. */
  readonly hostName?: string;
}

/**
 * Writes scalars, histograms, text and hyperparameters where TensorBoard finds them. Events are
 * held in memory until {@linkcode TensorBoardWriter.flush}. Values are written as they are: a `NaN`
 * loss shows as `NaN`, not as a good-looking zero.
 *
 * A resumed run opens a new file in the same folder; TensorBoard reads them in order of time.
 *
 * @example
 * ```ts
 * import { TensorBoardWriter } from "@signalbox/signalbox/metrics";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using writer = await TensorBoardWriter.create(folder, { nowSeconds: () => 1700000000 });
 *   writer.scalar("Training/PolicyLoss", -0.012, 1);
 *   writer.histogram("Actions/Replica", [0, 0, 1, 3], 1);
 * }
 * const [file] = [...Deno.readDirSync(folder)];
 * assert.equal(file?.name, "events.out.tfevents.1700000000.signalbox");
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class TensorBoardWriter {
  readonly #file: Deno.FsFile;
  readonly #nowSeconds: () => number;
  #pending: Uint8Array[] = [];
  #isClosed = false;

  private constructor(file: Deno.FsFile, nowSeconds: () => number) {
    this.#file = file;
    this.#nowSeconds = nowSeconds;
  }

  /**
   * Opens an event file in a folder, one folder a run.
   *
   * @param folder Folder, which must exist.
   * @param options Clock and name.
   * @throws {Deno.errors.AlreadyExists} When the folder has a file of this second and host name.
   */
  static async create(folder: string, options: TensorBoardOptions): Promise<TensorBoardWriter> {
    const { nowSeconds, hostName = "signalbox" } = options;
    const seconds = String(Math.floor(nowSeconds())).padStart(10, "0");
    const path = `${folder}/events.out.tfevents.${seconds}.${hostName}`;
    const file = await Deno.open(path, { write: true, createNew: true });
    const writer = new TensorBoardWriter(file, nowSeconds);
    writer.#add({ kind: "version" }, 0);
    return writer;
  }

  /**
   * Adds a point of a curve.
   *
   * @param tag Name; the part before the first slash groups curves.
   * @param value Value, kept as float32.
   * @param step Position, an integer >= 0, e.g. the number of decisions.
   */
  scalar(tag: string, value: number, step: number): void {
    this.#add({ kind: "scalar", tag, value }, step);
  }

  /**
   * Adds a histogram with 30 buckets of equal width; values that are not finite are left out.
   *
   * @param tag Name.
   * @param values Sample, `[n]`.
   * @param step Position, an integer >= 0.
   */
  histogram(tag: string, values: ArrayLike<number>, step: number): void {
    this.#add({ kind: "histogram", tag, values }, step);
  }

  /**
   * Adds a text, shown as Markdown.
   *
   * @param tag Name.
   * @param text Markdown.
   * @param step Position, an integer >= 0.
   */
  text(tag: string, text: string, step: number): void {
    this.#add({ kind: "text", tag, text }, step);
  }

  /**
   * States the run's hyperparameters, once, for the table that compares runs.
   *
   * @param values Hyperparameters by name.
   */
  hparams(values: Readonly<Record<string, HparamValue>>): void {
    this.#add({ kind: "hparams", values }, 0);
  }

  /** Writes what is pending to the file. */
  async flush(): Promise<void> {
    const frames = this.#pending;
    this.#pending = [];
    for (const bytes of frames) {
      let offset = 0;
      while (offset < bytes.length) offset += await this.#file.write(bytes.subarray(offset));
    }
  }

  /** Flushes and closes the file; closing twice does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.flush();
    } finally {
      this.#file.close();
    }
  }

  /** Closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add(content: EventContent, step: number): void {
    if (this.#isClosed) {
      throw new TypeError("Cannot write event: the writer must be open, current state is closed");
    }
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new RangeError(
        `Cannot write event: step must be an integer >= 0, current value is ${step}`,
      );
    }
    this.#pending.push(encodeEvent(content, step, this.#nowSeconds()));
  }
}
