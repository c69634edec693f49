/**
 * Progress in Jupyter notebooks.
 *
 * @module
 */
import { type Broadcast, kernelBroadcast } from "./broadcast.ts";

/**
 * A progress bar in the output of a notebook cell that is updated in its place while the cell runs.
 *
 * @example Progress of a training
 * ```ts
 * import { LiveDisplay } from "@signalbox/signalbox/plot";
 * import type { UpdateRecord } from "@signalbox/signalbox/training";
 *
 * const display = new LiveDisplay(); // and trainPolicy(scenario, { rng, onUpdate: show })
 * async function show({ update, updateCount, stats }: UpdateRecord): Promise<void> {
 *   await display.show(update, updateCount, `entropy ${stats.entropy.toFixed(3)}`);
 * }
 * ```
 */
export class LiveDisplay {
  readonly #broadcast: Broadcast;
  readonly #id = crypto.randomUUID();
  #isShown = false;

  /**
   * A display that has shown nothing.
   *
   * @param broadcast Takes the messages; the kernel of the notebook by default.
   */
  constructor(broadcast: Broadcast = kernelBroadcast) {
    this.#broadcast = broadcast;
  }

  /**
   * Shows how far something is.
   *
   * @param done Steps done.
   * @param total Steps in all, >= 1.
   * @param note Plain text beside the bar.
   */
  async show(done: number, total: number, note: string): Promise<void> {
    const text = `${done}/${total} ${note}`;
    const type = this.#isShown ? "update_display_data" : "display_data";
    this.#isShown = true;
    await this.#broadcast(type, {
      data: {
        "text/plain": text,
        "text/html": `<progress value="${done}" max="${total}"></progress> ${escapeHtml(text)}`,
      },
      metadata: {},
      transient: { "display_id": this.#id },
    });
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
