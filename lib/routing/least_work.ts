/**
 * Least work left, as predicted or as it truly is.
 *
 * @module
 */
import type { Rng } from "../random/mod.ts";
import type { BatchRecord, OracleView, RequestView, SimulationObserver } from "../simulator/mod.ts";
import type { OutputLengthPredictor } from "./output_length_predictor.ts";
import type { Router } from "./router.ts";
import { createSpeedRouter } from "./speed_weighted_lor.ts";

/**
 * Work of a prompt token in output tokens. The timers of A100, H100 and A40 say 0.04 to 0.12: what
 * 480 prompt tokens add to an iteration, over an iteration of 32 decodes at 1,200 tokens of context.
 */
const PROMPT_TOKEN_WORK = 1 / 16;

/** A router that has to be told of the run, see `EpisodeRouter` of the training package. */
export interface OracleRouter extends Router {
  /**
   * Prepares for a run.
   *
   * @throws {TypeError} When the oracle is missing.
   */
  begin(run: { readonly oracle?: OracleView }): void;
}

/**
 * Creates a **clairvoyant** router that sends each request where the work left, its own included,
 * is done first: `(output tokens left + prompt tokens left / 16) / speed`. It is told the speeds and
 * the true output lengths, which no real router knows: a mark to measure against, not a bound, since
 * it is greedy and takes work for served one after the other (spec/practice.md section 4).
 *
 * @param rng Decides ties.
 * @param relativeSpeeds Speed of each replica, `[replicaCount]`, > 0.
 * @throws {ConfigError} When a speed is not a finite number > 0.
 */
export function createClairvoyantLeastWork(
  rng: Rng,
  relativeSpeeds: ArrayLike<number>,
): OracleRouter {
  let oracle: OracleView | undefined;
  const router = createLeastWork("clairvoyant_least_work", rng, relativeSpeeds, {
    pending: (replica) => oracle!.pendingOutputTokens(replica),
    own: (request) => oracle!.outputTokens(request.index),
  });
  return {
    ...router,
    begin(run): void {
      if (run.oracle === undefined) {
        throw new TypeError(
          "Cannot route by true work: oracle must be given, current is undefined",
        );
      }
      oracle = run.oracle;
    },
  };
}

/**
 * Creates the router of least work left with predicted output lengths: the same rule as
 * {@linkcode createClairvoyantLeastWork}, with the mean length that requests of such a prompt had in
 * the past (and, for those that run, have left after the tokens seen so far). It is told the speeds,
 * no output length. Register its `observer` with the simulator.
 *
 * @param rng Decides ties.
 * @param relativeSpeeds Speed of each replica, `[replicaCount]`, > 0.
 * @param predictor What was learnt from past requests.
 * @throws {ConfigError} When a speed is not a finite number > 0.
 */
export function createPredictedLeastWork(
  rng: Rng,
  relativeSpeeds: ArrayLike<number>,
  predictor: OutputLengthPredictor,
): Router {
  const progress = new OutputProgress();
  const router = createLeastWork("predicted_least_work", rng, relativeSpeeds, {
    pending: (replica) => progress.remainingTokens(replica, predictor),
    own: (request) =>
      predictor.remainingTokens(request.promptTokens, progress.producedTokens(request.index)),
  });
  return {
    ...router,
    observer: progress,
    reset: () => progress.clear(),
    route(decision): number {
      const replica = router.route(decision);
      progress.add(decision.request, replica, decision.view.stageCount(replica));
      return replica;
    },
  };
}

/** Where output lengths come from, in tokens. */
interface OutputLengths {
  /** Output tokens that a replica has yet to produce. */
  pending(replica: number): number;
  /** Output tokens that the request to be routed has yet to get. */
  own(request: RequestView): number;
}

function createLeastWork(
  name: string,
  rng: Rng,
  relativeSpeeds: ArrayLike<number>,
  lengths: OutputLengths,
): Router {
  return createSpeedRouter(name, relativeSpeeds, ({ request, view }, out) => {
    const own = lengths.own(request) + PROMPT_TOKEN_WORK * request.promptTokens;
    for (let replica = 0; replica < out.length; replica++) {
      out[replica] = lengths.pending(replica) +
        PROMPT_TOKEN_WORK * view.pendingPrefillTokens(replica) + own;
    }
  }, rng);
}

/** A request that a replica has not completed. */
interface Outstanding {
  readonly promptTokens: number;
  readonly replica: number;
  /** Stage that tokens come from. */
  readonly lastStage: number;
  producedTokens: number;
}

/** Counts the output tokens of outstanding requests as they come out. */
class OutputProgress implements SimulationObserver {
  readonly #outstanding = new Map<number, Outstanding>();

  /** A request was handed to a replica, for the first time or after a failure. */
  add({ index, promptTokens }: RequestView, replica: number, stageCount: number): void {
    const producedTokens = this.producedTokens(index);
    const lastStage = stageCount - 1;
    this.#outstanding.set(index, { promptTokens, replica, lastStage, producedTokens });
  }

  clear(): void {
    this.#outstanding.clear();
  }

  producedTokens(request: number): number {
    return this.#outstanding.get(request)?.producedTokens ?? 0;
  }

  /** Output tokens to be expected yet from the requests of a replica. */
  remainingTokens(replica: number, predictor: OutputLengthPredictor): number {
    let sum = 0;
    for (const entry of this.#outstanding.values()) {
      if (entry.replica !== replica) continue;
      sum += predictor.remainingTokens(entry.promptTokens, entry.producedTokens);
    }
    return sum;
  }

  onFirstToken(request: number): void {
    this.#outstanding.get(request)!.producedTokens = 1;
  }

  /** Every iteration after a request's first token yields another, unless it recomputes. */
  onBatchStageEnd({ stage, requests, tokens, requestCount }: BatchRecord): void {
    for (let i = 0; i < requestCount; i++) {
      const entry = this.#outstanding.get(requests[i]!);
      if (entry === undefined || stage !== entry.lastStage) continue;
      if (entry.producedTokens > 0 && tokens[i] === 1) entry.producedTokens++;
    }
  }

  onCompleted(request: number): void {
    this.#outstanding.delete(request);
  }
}
