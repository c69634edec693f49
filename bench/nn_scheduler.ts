// deno-lint-ignore-file no-console
/**
 * Training of the scheduler from end to end, simulator included: decisions per second of wall time.
 *
 * ```sh
 * taskset -c 0 deno run -A bench/nn_scheduler.ts [--decisions=8192]
 * ```
 *
 * Early stopping is off, so that every update does all its epochs.
 */
import { parseArgs } from "node:util";
import { type ExperimentInput, parseExperimentConfig } from "../lib/config/mod.ts";
import { Rng } from "../lib/random/mod.ts";
import { openScenario, trainPolicy, useSimdBackend } from "../lib/training/mod.ts";

interface Case {
  readonly name: string;
  /** Decisions per second that are wanted. */
  readonly bar: number;
  /** Multiple of --decisions, so that each case runs for some seconds. */
  readonly scale: number;
  readonly config: ExperimentInput;
}

/** The document's experiment, never stopped early, in episodes and at temperature 1. */
const DOCUMENT = {
  preset: "seed",
  ppo: { targetKl: null },
  training: { environments: 8, episodeRequests: 1000, temperature: { mode: "off" } },
} satisfies ExperimentInput;

const CASES: readonly Case[] = [
  {
    name: "document's network and schedule (8 epochs, minibatch 64), 2 environments",
    bar: 300,
    scale: 1,
    config: { ...DOCUMENT, training: { ...DOCUMENT.training, environments: 2 } },
  },
  {
    name: "document's network and schedule, 8 environments",
    bar: 300,
    scale: 1,
    config: DOCUMENT,
  },
  {
    name: "MLP of two layers of 64, 3 epochs, minibatch 512, 16 environments x 256 steps",
    bar: 3000,
    scale: 8,
    config: {
      ...DOCUMENT,
      policy: { kind: "mlp", hiddenSizes: [64, 64] },
      ppo: {
        ...DOCUMENT.ppo,
        epochs: 3,
        minibatchSize: 512,
        rolloutLength: 256,
        learningRate: 1e-3,
      },
      training: { ...DOCUMENT.training, environments: 16 },
    },
  },
];

const { values: options } = parseArgs({
  options: { decisions: { type: "string", default: "8192" } },
});
await useSimdBackend();
console.log("| training | decisions/s | bar |");
console.log("|---|---|---|");
for (const { name, bar, scale, config } of CASES) {
  const decisions = Number(options.decisions) * scale;
  const experiment = parseExperimentConfig({
    ...config,
    training: { ...config.training, decisions },
  });
  const scenario = await openScenario(experiment);
  const start = performance.now();
  const { policy } = await trainPolicy(scenario, { rng: new Rng(experiment.seed) });
  const seconds = (performance.now() - start) / 1000;
  policy.dispose();
  console.log(`| ${name} | ${Math.round(decisions / seconds)} | ${bar} |`);
}
