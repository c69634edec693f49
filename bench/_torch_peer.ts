/** Conversation with `peers/nn_torch.py`. */

/** One measurement that the peer is asked for. */
export interface PeerRequest {
  readonly case: "train" | "act";
  readonly steps: number;
  readonly rows: number;
  readonly repeats: number;
  readonly threads: number;
  readonly clock: "wall" | "cpu";
}

/** A running peer: one process for all measurements, so that both sides can take turns. */
export class TorchPeer {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  /** @param python Path of a Python that has PyTorch. */
  constructor(python: string) {
    this.#process = new Deno.Command(python, {
      args: [new URL("peers/nn_torch.py", import.meta.url).pathname],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#lines = readLines(this.#process.stdout);
  }

  /** Times of the repetitions in milliseconds. */
  async measure(request: PeerRequest): Promise<number[]> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("Cannot measure: the peer has ended");
    return (JSON.parse(value) as { milliseconds: number[] }).milliseconds;
  }

  /** Ends the peer. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#process.status;
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (
    const chunk of stream.pipeThrough(
      new TextDecoderStream() as TransformStream<Uint8Array, string>,
    )
  ) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
