/**
 * Whether a study's targets are reached.
 *
 * @module
 */
import type { PolicyComparison } from "../metrics/mod.ts";
import type { Interval } from "../stats/mod.ts";
import { describeKnowledge } from "../training/mod.ts";
import type { Study, StudyTarget } from "./definition.ts";

/** What a cell of a study found. */
export interface CellComparison {
  /** Scenario. */
  readonly scenario: string;
  /** Percent of its capacity. */
  readonly load: number;
  /** All policies against the study's reference. */
  readonly comparisons: readonly PolicyComparison[];
  /** Trained policies against each baseline. */
  readonly againstBaselines: ReadonlyMap<string, readonly PolicyComparison[]>;
}

/** A target at one load. */
export interface TargetVerdict {
  /** The target. */
  readonly target: StudyTarget;
  /** Load. */
  readonly load: number;
  /** The baseline that decided: of several, the one that the policy does worst against. */
  readonly baseline: string;
  /** Policy / baseline - 1, with its interval. */
  readonly relative: Interval;
  /** Whether the target is reached there. */
  readonly isReached: boolean;
}

/** Told what no router could know: a mark to measure against, not a rival. */
const CLAIRVOYANT = "clairvoyant_least_work";

/**
 * The baseline with the lowest mean E2E of those that are told nothing that a real router could not
 * see. It is picked on the test arrivals, which favours the baselines.
 */
export function bestUntoldHeuristic(
  { comparisons, againstBaselines }: Pick<CellComparison, "comparisons" | "againstBaselines">,
): string {
  const untold = comparisons.filter(({ policy }) =>
    againstBaselines.has(policy) && describeKnowledge(policy) === ""
  );
  const meanOf = ({ e2eMean }: PolicyComparison): number => e2eMean.candidate.estimate;
  return untold.reduce((best, next) => meanOf(next) < meanOf(best) ? next : best).policy;
}

/**
 * Holds what was found against the targets of a study.
 *
 * @param found Cells in any order; targets in cells or of policies that are not there get no verdict.
 * @returns One verdict a target and load, in the order of the study.
 */
export function judgeTargets(
  { targets }: Pick<Study, "targets">,
  found: readonly CellComparison[],
): TargetVerdict[] {
  return targets.flatMap((target) =>
    target.loads.flatMap((load) => {
      const cell = found.find((entry) => entry.scenario === target.scenario && entry.load === load);
      return cell === undefined ? [] : judge(target, cell);
    })
  );
}

function judge(target: StudyTarget, cell: CellComparison): TargetVerdict[] {
  const { policy: wanted, statistic } = target;
  const { load } = cell;
  const verdicts = opponentsOf(target, cell).flatMap((baseline): TargetVerdict[] => {
    const against = cell.againstBaselines.get(baseline)!;
    const comparison = against.find(({ policy }) => policy === wanted);
    if (comparison === undefined) return [];
    const { relative } = comparison[statistic];
    return [{ target, load, baseline, relative, isReached: reaches(target, relative) }];
  });
  if (verdicts.length === 0) return [];
  const worst = verdicts.reduce((a, b) => b.relative.estimate > a.relative.estimate ? b : a);
  return [{ ...worst, isReached: verdicts.every(({ isReached }) => isReached) }];
}

function opponentsOf({ against }: StudyTarget, cell: CellComparison): string[] {
  if (against === "best untold heuristic") return [bestUntoldHeuristic(cell)];
  const baselines = [...cell.againstBaselines.keys()];
  return baselines.filter((name) =>
    against === "every heuristic" ? name !== CLAIRVOYANT : name === against
  );
}

function reaches({ atMost }: StudyTarget, { estimate, low, high }: Interval): boolean {
  return atMost === "not above" ? low <= 0 : estimate <= atMost && high < 0;
}
