/** Text files that are written piece by piece. */

/** Characters that are collected before they are written. */
const BUFFER_CHARACTERS = 1 << 16;

/**
 * Writes text synchronously, as an observer of a simulation has to, with bounded memory. The file
 * appears under its name when it is closed; until then the text is in a temporary file beside it.
 */
export class TextFileWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #buffer = "";
  #isOpen = true;

  /** @param path Destination; its folder must exist; an older file is replaced on closing. */
  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.${Deno.pid}.tmp`;
    this.#file = Deno.openSync(this.#temporary, { write: true, create: true, truncate: true });
  }

  /** Appends text. */
  write(text: string): void {
    this.#buffer += text;
    if (this.#buffer.length >= BUFFER_CHARACTERS) this.#flush();
  }

  /** Writes what is left and gives the file its name. */
  close(): void {
    this.#flush();
    this.#file.syncSync();
    this.#file.close();
    Deno.renameSync(this.#temporary, this.#path);
    this.#isOpen = false;
  }

  /** Removes the temporary file, unless the writer is closed; an older file is left alone. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    Deno.removeSync(this.#temporary);
  }

  #flush(): void {
    const bytes = this.#encoder.encode(this.#buffer);
    this.#buffer = "";
    for (let offset = 0; offset < bytes.length;) {
      offset += this.#file.writeSync(bytes.subarray(offset));
    }
  }
}
