/**
 * Studies: policies trained and compared in many scenarios, and what is expected of them.
 *
 * @module
 */
export type {
  Study,
  StudyCells,
  StudyOpponent,
  StudyPolicy,
  StudyStatistic,
  StudyTarget,
  StudyTradeOff,
} from "./definition.ts";
export {
  type ExpandedStudy,
  expandStudy,
  type ExpandStudyOptions,
  type StudyCell,
} from "./expand_study.ts";
export {
  bestUntoldHeuristic,
  type CellComparison,
  judgeTargets,
  type TargetVerdict,
} from "./judge_targets.ts";
