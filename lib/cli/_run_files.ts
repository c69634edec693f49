import type { ExperimentConfig } from "../config/mod.ts";
import { TensorBoardWriter } from "../metrics/mod.ts";
import { writeFileAtomic } from "../support/mod.ts";
import { addUpdateEvents, appendUpdate, type UpdateRecord } from "../training/mod.ts";

/** Where the log of updates lies. */
export function updateLog(out: string): string {
  return `${out}/updates.jsonl`;
}

/**
 * What a training run leaves beside its checkpoints: `config.json`, `updates.jsonl` and TensorBoard's
 * curves. Nothing is written before the first update, so that a run that is refused leaves nothing.
 */
export class RunFiles {
  readonly #out: string;
  readonly #config: ExperimentConfig;
  #events: TensorBoardWriter | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(out: string, config: ExperimentConfig) {
    this.#out = out;
    this.#config = config;
  }

  /** Adds an update; writing goes on while training does. */
  add(record: UpdateRecord): void {
    appendUpdate(updateLog(this.#out), record);
    this.#written = this.#written.then(async () => {
      this.#events ??= await this.#begin();
      addUpdateEvents(this.#events, record);
      await this.#events.flush();
    });
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#written;
    await this.#events?.close();
  }

  /** The configuration, and a new event file: a resumed run adds one to those before it. */
  async #begin(): Promise<TensorBoardWriter> {
    const text = JSON.stringify(this.#config, null, 2);
    await writeFileAtomic(`${this.#out}/config.json`, `${text}\n`);
    const folder = `${this.#out}/tensorboard`;
    await Deno.mkdir(folder, { recursive: true });
    const writer = await TensorBoardWriter.create(folder, {
      nowSeconds: () => Date.now() / 1000,
      hostName: `signalbox.${Deno.pid}`,
    });
    writer.text("Run/Configuration", `    ${text.replaceAll("\n", "\n    ")}`, 0);
    writer.hparams(hyperParameters(this.#config));
    return writer;
  }
}

/** What TensorBoard's table of runs compares. */
function hyperParameters({ policy, reward, ppo, training }: ExperimentConfig) {
  return {
    policy: policy.kind,
    rewardMode: reward.mode,
    learningRate: ppo.learningRate,
    gamma: ppo.gamma,
    gaeLambda: ppo.gaeLambda,
    clipRatio: ppo.clipRatio,
    entropyCoef: ppo.entropyCoef,
    valueCoef: ppo.valueCoef,
    epochs: ppo.epochs,
    rolloutLength: ppo.rolloutLength,
    minibatchSize: ppo.minibatchSize,
    environments: training.environments,
  };
}
