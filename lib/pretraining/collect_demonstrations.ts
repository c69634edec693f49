/**
 * Watching routers at work.
 *
 * @module
 */
import { join } from "node:path";
import { ParquetWriter } from "../metrics/mod.ts";
import { Rng } from "../random/mod.ts";
import type { Router } from "../routing/mod.ts";
import { type RoutingDecision, Simulator } from "../simulator/mod.ts";
import { StateBuilder } from "../state/mod.ts";
import { ConfigError, UsageError, writeFileAtomic } from "../support/mod.ts";
import { heuristicEntry, isEpisodeRouter, type Scenario } from "../training/mod.ts";
import {
  demonstrationColumns,
  type DemonstrationRow,
  MANIFEST_FILE,
  sha256,
  TABLE_FILE,
} from "./demonstration_folder.ts";
import {
  type DemonstrationEpisode,
  type DemonstrationManifest,
  DEMONSTRATIONS_VERSION,
} from "./manifest.ts";

/** What to collect. */
export interface CollectOptions {
  /** Names of the routers to watch, distinct, at least one (see `baselineNames`). */
  readonly routers: readonly string[];
  /** Multiples of the configured arrival rate, each > 0, distinct, at least one; default `[1]`. */
  readonly rateScales?: readonly number[];
  /** Simulations of every router at every rate, >= 1. */
  readonly episodes: number;
  /** Requests a simulation, >= 2; default `training.episodeRequests`. */
  readonly requests?: number | undefined;
  /** Called after every simulation. */
  readonly onEpisode?: (episode: DemonstrationEpisode, index: number, count: number) => void;
  /** Checked between simulations; nothing is left behind when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Simulates routers on the scenario's training arrivals and writes what they saw and did: raw
 * observations in the experiment's layout, masks, actions and, from routers that have them, the
 * scores of all replicas. Every simulation has arrivals of its own, drawn from `config.seed`, the
 * router's name and the rate; histories begin anew in each.
 *
 * The manifest is written last: a folder without it is not a dataset.
 *
 * Source: spec/scheduler.md section 12.1, with its defects put right.
 *
 * @param folder A new or empty folder.
 * @throws {ConfigError} When a router is unknown or a number is not allowed.
 * @throws {UsageError} When the folder holds something.
 * @throws The signal's reason when it fires.
 */
export async function collectDemonstrations(
  scenario: Scenario,
  folder: string,
  options: CollectOptions,
): Promise<DemonstrationManifest> {
  const { config, replicas } = scenario;
  const { routers, rateScales = [1], signal } = options;
  const { requests = config.training.episodeRequests } = options;
  checkOptions(scenario, { ...options, rateScales, requests });
  await makeNewFolder(folder);
  const rng = new Rng(config.seed).stream("demonstrations");
  const builder = new StateBuilder(config.state, replicas.length);
  const episodes: DemonstrationEpisode[] = [];
  const count = routers.length * rateScales.length * options.episodes;
  const path = join(folder, TABLE_FILE);
  {
    await using writer = await ParquetWriter.create(path, demonstrationColumns);
    for (const router of routers) {
      for (const rateScale of rateScales) {
        for (let repetition = 0; repetition < options.episodes; repetition++) {
          await new Promise((resolve) => setTimeout(resolve, 0)); // lets signals in
          signal?.throwIfAborted();
          const episodeRng = rng.stream(`${router} at ${rateScale}, ${repetition}`);
          const { rows, episode } = watch(scenario, builder, {
            router: heuristicEntry(scenario, router).create(episodeRng.stream("router")),
            rateScale,
            requests,
            rng: episodeRng,
            index: episodes.length,
          });
          await writer.append(rows);
          episodes.push(episode);
          options.onEpisode?.(episode, episodes.length, count);
        }
      }
    }
    await writer.close();
  }
  const manifest: DemonstrationManifest = {
    format: "signalbox-demonstrations",
    version: DEMONSTRATIONS_VERSION,
    schemaHash: builder.schemaHash,
    featureNames: [...builder.featureNames],
    replicaCount: replicas.length,
    decisionCount: episodes.reduce((sum, { decisionCount }) => sum + decisionCount, 0),
    seed: config.seed,
    episodes,
    config,
    sha256: sha256(await Deno.readFile(path)),
  };
  await writeFileAtomic(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

interface EpisodeOptions {
  readonly router: Router;
  readonly rateScale: number;
  readonly requests: number;
  readonly rng: Rng;
  readonly index: number;
}

/** One simulation and its decisions. */
function watch(
  { replicas, trainingWorkload, incidents }: Scenario,
  builder: StateBuilder,
  { router, rateScale, requests, rng, index }: EpisodeOptions,
): { rows: DemonstrationRow[]; episode: DemonstrationEpisode } {
  const workloadRng = rng.stream("workload");
  const original = trainingWorkload(workloadRng, requests);
  const arrivalSeconds = original.arrivalSeconds.map((seconds) => seconds / rateScale);
  const workload = { ...original, arrivalSeconds };
  const observers = router.observer === undefined ? [builder] : [builder, router.observer];
  const simulator = new Simulator(workload, replicas, {
    observers,
    incidents: incidents(rng.stream("incidents"), workload),
  });
  const run = {
    arrivalSeconds,
    oracle: simulator.oracle,
    predictionSeed: rng.stream("predictions").seed,
  };
  builder.reset(run);
  if (isEpisodeRouter(router)) router.begin(run);
  else router.reset?.();
  const rows: DemonstrationRow[] = [];

  function route(decision: RoutingDecision): number {
    const { view } = decision;
    builder.observe(decision);
    const observation = builder.build(decision, new Float32Array(builder.size));
    const mask = Float64Array.from(replicas, (_, r) => view.isAvailable(r) ? 1 : 0);
    const scores = router.scores?.(decision, new Float64Array(replicas.length)) ?? null;
    const action = router.route(decision);
    rows.push({
      episode: index,
      router: router.name,
      rate_scale: rateScale,
      observation,
      action_mask: mask,
      action,
      scores,
    });
    return action;
  }
  simulator.run(route);
  return {
    rows,
    episode: {
      router: router.name,
      rateScale,
      workloadSeed: workloadRng.seed,
      decisionCount: rows.length,
      hasScores: router.scores !== undefined,
    },
  };
}

function checkOptions(
  scenario: Scenario,
  { routers, rateScales, episodes, requests }: CollectOptions & {
    readonly rateScales: readonly number[];
    readonly requests: number;
  },
): void {
  if (routers.length === 0 || new Set(routers).size !== routers.length) {
    throw new ConfigError("routers", routers, "a list of distinct names, at least one");
  }
  for (const name of routers) heuristicEntry(scenario, name).create(new Rng(0));
  const areScales = rateScales.every((scale) => scale > 0 && Number.isFinite(scale));
  if (rateScales.length === 0 || !areScales || new Set(rateScales).size !== rateScales.length) {
    throw new ConfigError("rateScales", rateScales, "a list of distinct numbers > 0, at least one");
  }
  if (!Number.isInteger(episodes) || episodes < 1) {
    throw new ConfigError("episodes", episodes, "an integer >= 1");
  }
  if (!Number.isInteger(requests) || requests < 2) {
    throw new ConfigError("requests", requests, "an integer >= 2");
  }
}

async function makeNewFolder(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for await (const _entry of Deno.readDir(folder)) {
    throw new UsageError(
      `Cannot write to ${folder}: it must be a new or empty folder, current folder is not empty`,
    );
  }
}
