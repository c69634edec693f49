import assert from "node:assert/strict";
import type { PolicyComparison } from "../../lib/metrics/mod.ts";
import type { Interval } from "../../lib/stats/mod.ts";
import {
  bestUntoldHeuristic,
  type CellComparison,
  judgeTargets,
  type StudyTarget,
} from "../../lib/study/mod.ts";

const NONE: Interval = { estimate: 0, low: 0, high: 0 };

/** A policy with a mean latency and its relative difference to some baseline. */
function comparison(policy: string, seconds: number, relative: Interval = NONE): PolicyComparison {
  const statistic = {
    confidence: 0.95,
    baseline: NONE,
    candidate: { estimate: seconds, low: seconds, high: seconds },
    difference: NONE,
    relative,
  };
  return {
    policy,
    runCount: 1,
    e2eMean: statistic,
    e2eP99: statistic,
    e2eP50Seconds: 1,
    ttftMean: statistic,
    ttftP50Seconds: 1,
    ttftP99Seconds: 1,
    requestsPerSecond: 1,
    replicaShares: [1],
    latencyFairness: 1,
    sloFraction: null,
    goodputPerSecond: null,
  };
}

/** A cell where `ppo` differs from each baseline by what is given. */
function cell(relatives: Readonly<Record<string, Interval>>): CellComparison {
  const seconds = new Map([
    ["random", 9],
    ["lor_tbt", 5],
    ["least_outstanding", 6],
    ["speed_weighted_lor", 4],
    ["clairvoyant_least_work", 2],
  ]);
  return {
    scenario: "mixed",
    load: 75,
    comparisons: [
      ...Object.keys(relatives).map((policy) => comparison(policy, seconds.get(policy)!)),
      comparison("ppo", 3),
    ],
    againstBaselines: new Map(
      Object.entries(relatives).map(([baseline, relative]) => [
        baseline,
        [comparison("ppo", 3, relative)],
      ]),
    ),
  };
}

function target(changes: Partial<StudyTarget>): StudyTarget {
  return {
    scenario: "mixed",
    loads: [75],
    policy: "ppo",
    statistic: "e2eMean",
    against: "least_outstanding",
    atMost: -0.2,
    ...changes,
  };
}

function isReached(asked: StudyTarget, relative: Interval): boolean {
  const [verdict] = judgeTargets({ targets: [asked] }, [cell({ least_outstanding: relative })]);
  return verdict!.isReached;
}

Deno.test("judgeTargets() asks for the estimate and for an interval below zero", () => {
  assert.ok(isReached(target({}), { estimate: -0.2, low: -0.3, high: -0.01 }));
  assert.ok(!isReached(target({}), { estimate: -0.19, low: -0.3, high: -0.01 }));
  assert.ok(!isReached(target({}), { estimate: -0.4, low: -0.9, high: 0 }));
  assert.ok(!isReached(target({}), { estimate: -0.4, low: NaN, high: NaN }), "unknown interval");
  assert.ok(isReached(target({ atMost: 0 }), { estimate: -0.01, low: -0.02, high: -0.001 }));
});

Deno.test("judgeTargets() takes what is not shown to be above for not above", () => {
  const asked = target({ atMost: "not above" });
  assert.ok(isReached(asked, { estimate: 0.02, low: -0.01, high: 0.05 }));
  assert.ok(!isReached(asked, { estimate: 0.02, low: 0.01, high: 0.05 }));
});

Deno.test("judgeTargets() holds a policy against every heuristic but the clairvoyant one", () => {
  const under = (estimate: number): Interval => ({
    estimate,
    low: estimate - 0.1,
    high: estimate + 0.1,
  });
  const asked = target({ against: "every heuristic", atMost: 0 });
  const found = cell({
    random: under(-0.6),
    speed_weighted_lor: under(-0.2),
    clairvoyant_least_work: under(0.4),
  });
  const [verdict] = judgeTargets({ targets: [asked] }, [found]);
  assert.equal(verdict!.baseline, "speed_weighted_lor");
  assert.equal(verdict!.relative.estimate, -0.2);
  assert.ok(verdict!.isReached);
  // The best estimate against one does not make up for an interval that holds 0 against another.
  const wide = { estimate: -0.5, low: -1, high: 0.1 };
  const [second] = judgeTargets({ targets: [asked] }, [
    cell({ random: wide, speed_weighted_lor: under(-0.2) }),
  ]);
  assert.ok(!second!.isReached);
});

Deno.test("bestUntoldHeuristic() is the fastest of those that are told nothing", () => {
  const found = cell({
    random: NONE,
    least_outstanding: NONE,
    lor_tbt: NONE,
    speed_weighted_lor: NONE,
    clairvoyant_least_work: NONE,
  });
  assert.equal(bestUntoldHeuristic(found), "lor_tbt");
  const [verdict] = judgeTargets({ targets: [target({ against: "best untold heuristic" })] }, [
    found,
  ]);
  assert.equal(verdict!.baseline, "lor_tbt");
});

Deno.test("judgeTargets() gives no verdict on cells and policies that were not run", () => {
  const found = cell({ least_outstanding: NONE });
  const targets = [
    target({ loads: [50] }),
    target({ scenario: "bursty" }),
    target({ policy: "x" }),
  ];
  assert.deepEqual(judgeTargets({ targets }, [found]), []);
});
