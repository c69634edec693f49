/** What a study will do. */
import type { ExpandedStudy, StudyCell } from "../study/mod.ts";

/** Decisions that a core of 2025 takes a second, in training and in evaluation: a rule of thumb. */
const DECISIONS_PER_SECOND = 10_000;

/** What will be run, a line a cell, and about how long it takes. */
export function describePlan({ cells, sweep }: ExpandedStudy, jobs: number): string[] {
  const learned = sweep.trials.filter(({ policy }) => policy === "ppo");
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const training = sum(learned.map(({ config }) => config.training.decisions));
  const evaluation = sum(
    sweep.trials.map(({ policy, config: { evaluation: { seeds, requests, sampling } } }) =>
      seeds.length * requests * (policy === "ppo" ? sampling.length : 1)
    ),
  );
  const seconds = (training + evaluation) / DECISIONS_PER_SECOND / jobs;
  return [
    ...cells.map((cell) => `${cell.title}: ${policiesOf(cell)}`),
    `${learned.length} trainings, ${training} decisions; ${sweep.trials.length} evaluations, ` +
    `${evaluation} requests. About ${minutes(seconds)} with --jobs ${jobs} at ` +
    `${DECISIONS_PER_SECOND} decisions a second and core; comparisons and charts take about a third more.`,
  ];
}

function policiesOf({ trials }: StudyCell): string {
  const learned = Map.groupBy(
    trials.filter(({ policy }) => policy === "ppo"),
    ({ label }) => label,
  );
  const baselineCount = trials.filter(({ policy }) => policy !== "ppo").length;
  return [
    `${baselineCount} baselines`,
    ...[...learned].map(([label, own]) => `${label} x ${own.length}`),
  ].join(", ");
}

/** `45 s`, `12 min`. */
export function minutes(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}
