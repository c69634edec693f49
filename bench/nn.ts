// deno-lint-ignore-file no-console
/**
 * The document's network against PyTorch and tfjs-wasm, side by side.
 *
 * ```sh
 * python3 -m venv .torch && .torch/bin/pip install torch==2.13.0 numpy
 * deno run -A bench/nn.ts --torch=.torch/bin/python [--rounds=20] [--clock=cpu]
 * ```
 *
 * In every round each side does some repetitions of each kind of work in turn, so that a slow phase
 * of the machine hits all sides. Medians over all repetitions; PyTorch with 1 and 2 threads, the
 * better one counts. On a busy machine `--clock=cpu` measures the processes' CPU time instead of the
 * wall clock's, with one thread on either side.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { registerSimdBackend } from "../lib/kernels/mod.ts";
import { acting, trainingStep, type Work } from "./_nn_work.ts";
import { type PeerRequest, TorchPeer } from "./_torch_peer.ts";

/** Kinds of work, the bar for ours / PyTorch, and repetitions in a round. */
const CASES = [
  { case: "train", steps: 32, rows: 2, bar: 0.5, repeats: 4 },
  { case: "train", steps: 32, rows: 16, bar: 1.0, repeats: 2 },
  { case: "act", steps: 1, rows: 1, bar: 0.3, repeats: 100 },
  { case: "act", steps: 1, rows: 16, bar: 0.5, repeats: 50 },
] as const;

const { values: options } = parseArgs({
  options: {
    torch: { type: "string" },
    rounds: { type: "string", default: "20" },
    clock: { type: "string", default: "wall" },
  },
});
const clock = options.clock === "cpu" ? "cpu" : "wall";
/** PyTorch's thread counts. */
const threadCounts = clock === "cpu" ? [1] : [1, 2];
const peer = options.torch === undefined ? undefined : new TorchPeer(options.torch);

await tf.setBackend(registerSimdBackend());
const works = CASES.map(({ case: kind, steps, rows }) =>
  kind === "train" ? trainingStep(steps, rows) : acting(rows)
);
const ours = CASES.map((): number[] => []);
const theirs = CASES.map(() => threadCounts.map((): number[] => []));

// The first round compiles and warms up on both sides and does not count.
for (let round = 0; round <= Number(options.rounds); round++) {
  for (const [i, { bar: _bar, ...request }] of CASES.entries()) {
    const mine = timeRepeats(works[i]!, request.repeats);
    if (round > 0) ours[i]!.push(...mine);
    for (const [j, threads] of threadCounts.entries()) {
      const times = await peer?.measure({ ...request, threads, clock } satisfies PeerRequest);
      if (round > 0 && times !== undefined) theirs[i]![j]!.push(...times);
    }
  }
}
await peer?.close();
for (const work of works) work.dispose();

console.log(`| work | ours, ms | PyTorch ${threadCounts.join(" / ")} threads, ms | ratio | bar |`);
console.log("|---|---|---|---|---|");
CASES.forEach(({ case: kind, steps, rows, bar }, i) => {
  const name = kind === "train"
    ? `training step, T=${steps}, N=${rows}`
    : `act, ${rows} row${rows > 1 ? "s" : ""}`;
  const mine = median(ours[i]!);
  const peers = theirs[i]!.map(median);
  const ratio = mine / Math.min(...peers);
  console.log(
    `| ${name} | ${mine.toPrecision(3)} | ${peers.map((ms) => ms.toPrecision(3)).join(" / ")} | ${
      ratio.toFixed(2)
    } | ${bar} |`,
  );
});

/** Times in milliseconds; CPU times are means over the repetitions, as that clock is coarse. */
function timeRepeats({ run }: Work, repeats: number): number[] {
  if (clock === "cpu") {
    const start = process.cpuUsage();
    for (let i = 0; i < repeats; i++) run();
    const { user, system } = process.cpuUsage(start);
    return [(user + system) / 1000 / repeats];
  }
  return Array.from({ length: repeats }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
}

function median(times: number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
