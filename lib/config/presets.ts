/**
 * Named sets of defaults. Every default stands once: in the schema of its area, where it is the
 * document's, or here, where a preset differs from that.
 *
 * @module
 */
import type { ConfigPath } from "./config_path.ts";
import type { JsonValue } from "./json.ts";

/** Names of the presets; the first one holds where none is asked for. */
export const presetNames = ["default", "seed"] as const;

/** A preset's name. */
export type PresetName = (typeof presetNames)[number];

/** One key in which a preset differs from the schema's default. */
export interface PresetChange {
  /** Dotted path of the key. */
  readonly path: ConfigPath;
  /** The preset's value. */
  readonly value: JsonValue;
  /** Where the value comes from. */
  readonly source: string;
}

function change(path: ConfigPath, value: JsonValue, source: string): PresetChange {
  return { path, value, source };
}

const PRACTICE = "spec/practice.md section 9";
/** Mean latency of 1e-3, 3e-3, 6e-3 and 1e-2 there: 4.47, 4.07, 3.97 and 3.95 s. */
const VALIDATED =
  "lowest latency on validation arrivals of scenario mixed at 75 % load, or near it";
const MEASURED = "as in the results of experiments/reward_modes.ts";
const CORRECTIONS = 'spec/scheduler.md section 10, "Better"';

/** What works: appendix A of spec/scheduler.md, whose sections are meant, and what was measured here. */
const DEFAULT: readonly PresetChange[] = [
  change("state.layout", "signalbox", "shows the request to be routed and running work; A3"),
  change(
    "state.criticSeesOutputTokens",
    true,
    `in training, to judge what else made a request slow; ${VALIDATED}`,
  ),
  change("reward.externalityWeight", 1.5, `the delay that later arrivals feel; ${VALIDATED}`),
  change("reward.mode", "request", `each request's outcome to its own decision; A1, ${PRACTICE}`),
  change("policy.kind", "replica_scorer", "the same weights for every replica; section 4.4"),
  change("policy.hiddenSize", 32, MEASURED),
  change("policy.sharedEncoder", false, "the larger value loss cannot steer what the policy sees"),
  change("ppo.learningRate", 6e-3, VALIDATED),
  change("ppo.learningRateSchedule", "linear", CORRECTIONS),
  change("ppo.gamma", 0.98, MEASURED),
  change("ppo.gaeLambda", 0.97, MEASURED),
  change("ppo.clipRatio", 0.2, CORRECTIONS),
  change("ppo.entropyCoef", 0.002, PRACTICE),
  change("ppo.klCoef", 0, "Schulman et al. 2017: clipping takes its place"),
  change("ppo.targetKl", null, MEASURED),
  change("ppo.epochs", 3, PRACTICE),
  change("ppo.rolloutLength", 128, `2048 decisions an update; ${CORRECTIONS}`),
  change("ppo.minibatchSize", 512, PRACTICE),
  change("ppo.maxGradNorm", 0.5, CORRECTIONS),
  change("ppo.optimizers", "separate", "critic gradients do not crowd out the actor; section 10.2"),
  change("ppo.criticMaxGradNorm", 0.5, CORRECTIONS),
  change("ppo.returnNormalization", true, CORRECTIONS),
  change("ppo.rewardScaling", true, 'section 6.7, "Better"'),
  change("ppo.rewardClip", 10, 'section 6.7, "Better"'),
  change("training.environments", 16, PRACTICE),
  change("training.decisions", 200_000, VALIDATED),
  change("training.episodeRequests", 2000, MEASURED),
];

/** The document (spec/scheduler.md section 0), and sections 1-10 where it leaves a value open. */
const SEED: readonly PresetChange[] = [
  change("workload.kind", "synthetic", "section 1.3"),
  change("workload.arrivals", { kind: "poisson", ratePerSecond: 3 }, "section 1.3: 2 to 3.5"),
  change("workload.lengths", { kind: "fixed" }, "section 1.3"),
  change("state.decodeLengths", "true", "document: num_decode_tokens is part of its state"),
  change("state.metrics.scope", "lifetime", "section 1.2"),
  change("normalizer.shareReplicas", false, "document: a mean and variance per dimension"),
  change("normalizer.relativeStdFloor", 0, "section 7.1: sqrt(epsilon) is the only floor"),
  change("reward.metrics.scope", "lifetime", "section 1.2"),
  change("reward.loadBalanceOn", "waiting", "document: the queue lengths"),
  change("ppo.adamEpsilon", 1e-8, "section 10"),
  change("ppo.valueClipRatio", 0.15, "document: clipped value loss, with the ratio's limit"),
  change("ppo.advantageNormalization", "rollout", "document: RolloutBuffer"),
  change("ppo.maxGradNorm", 0.5, "document: the trainer's default; the scheduler names none"),
  change("training.environments", 1, "section 1.1: inside the one simulation"),
  change("training.decisions", 40_000, "the longest recorded run has 36 868 (measured results)"),
  change("training.episodeRequests", 200_000, "section 1.1: one endless episode"),
  change("training.temperature.mode", "document", "document: enable_dynamic_temperature"),
];

/** What each preset changes. */
export const presetChanges: Readonly<Record<PresetName, readonly PresetChange[]>> = {
  default: DEFAULT,
  seed: SEED,
};
