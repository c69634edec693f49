/** Text that stays in its place on a terminal. */

/** Where to draw; 0 = the terminal does not say. */
export interface ScreenSize {
  /** Characters of a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
}

/** What is drawn to when the terminal does not say. */
const USUAL_SIZE: ScreenSize = { columns: 80, rows: 24 };

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/** Draws one text over the other; what was on the screen before is left alone. */
export class Redrawing {
  readonly #write: (text: string) => void;
  #lineCount: number | undefined;

  /** @param write Writes to the terminal. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Puts a text where the last one is, cut off where the screen ends. */
  draw(text: string, size: ScreenSize): void {
    const columns = size.columns || USUAL_SIZE.columns;
    const rows = size.rows || USUAL_SIZE.rows;
    const lines = text.split("\n").slice(0, Math.max(1, rows - 1))
      .map((line) => [...line].slice(0, columns).join(""));
    const back = this.#lineCount === undefined ? HIDE_CURSOR : `\x1b[${this.#lineCount}A\r\x1b[J`;
    this.#lineCount = lines.length;
    this.#write(`${back}${lines.join("\n")}\n`);
  }

  /** Gives the terminal back, the last text on it. */
  end(): void {
    if (this.#lineCount !== undefined) this.#write(SHOW_CURSOR);
  }
}
