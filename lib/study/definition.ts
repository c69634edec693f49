/**
 * What a study declares.
 *
 * @module
 */
import type { ExperimentInput } from "../config/mod.ts";
import type { ScenarioLoad } from "../scenarios/mod.ts";
import type { SweepOverrides } from "../sweep/mod.ts";
import type { BaselineName } from "../training/mod.ts";

/** Scenarios by name with the loads, in percent of their capacities, that they are studied at. */
export type StudyCells = Readonly<Record<string, readonly ScenarioLoad[]>>;

/** A way of training that a study examines. */
export interface StudyPolicy {
  /** Name in tables. */
  readonly label: string;
  /** Training seeds, the same in every cell. */
  readonly seeds: readonly number[];
  /** Where it is trained; in every cell of the study when left out. */
  readonly cells?: StudyCells;
  /** Keys that set it apart. */
  readonly set?: SweepOverrides;
}

/** What differences are taken of. */
export type StudyStatistic = "e2eMean" | "e2eP99" | "ttftMean";

/**
 * What a policy is held against: a baseline by name, every baseline but the clairvoyant one, or the
 * one with the lowest mean E2E of those that are told nothing that a router could not see.
 */
export type StudyOpponent = BaselineName | "every heuristic" | "best untold heuristic";

/** Something that a policy, acting greedily, is expected to reach on the test arrivals. */
export interface StudyTarget {
  /** Scenario. */
  readonly scenario: string;
  /** Loads, one verdict each. */
  readonly loads: readonly ScenarioLoad[];
  /** Label of the policy. */
  readonly policy: string;
  /** What is compared. */
  readonly statistic: StudyStatistic;
  /** What it is compared with. */
  readonly against: StudyOpponent;
  /**
   * The largest policy / opponent - 1 that reaches it, with an interval below 0; 0 asks for no more
   * than that. `"not above"` asks that the interval does not lie above 0.
   */
  readonly atMost: number | "not above";
}

/** Policies whose mean E2E and mean TTFT are drawn against each other. */
export interface StudyTradeOff {
  /** Scenario. */
  readonly scenario: string;
  /** Load. */
  readonly load: ScenarioLoad;
  /** Labels in the order of the curve. */
  readonly policies: readonly string[];
}

/** Trained policies against baselines in many scenarios, with what is expected of them. */
export interface Study {
  /** Short name in snake case. */
  readonly name: string;
  /** What is asked, in a sentence or two. */
  readonly description: string;
  /** The experiment that every trial starts from; the scenario decides cluster and requests. */
  readonly base: ExperimentInput;
  /** Scenarios and loads. */
  readonly cells: StudyCells;
  /** Keys that single scenarios need to have another way. */
  readonly scenarioSet?: Readonly<Record<string, SweepOverrides>>;
  /** What is trained. */
  readonly policies: readonly StudyPolicy[];
  /** What it is compared with. */
  readonly baselines: readonly BaselineName[];
  /** The baseline that everything is compared with. */
  readonly reference: BaselineName;
  /** What is expected. */
  readonly targets: readonly StudyTarget[];
  /** Two aims against each other. */
  readonly tradeOff: StudyTradeOff;
  /** The small version. */
  readonly quick: {
    /** Scenarios and loads in place of `cells`, for all policies. */
    readonly cells: StudyCells;
    /** Training seeds of every policy. */
    readonly seeds: readonly number[];
    /** Keys to set. */
    readonly set: SweepOverrides;
    /** Policies that are left out. */
    readonly without: readonly string[];
  };
}
