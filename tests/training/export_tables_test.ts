import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { tableFromRows } from "../../lib/metrics/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { REWARD_TERMS } from "../../lib/reward/mod.ts";
import {
  type DecisionRecord,
  decisionRow,
  decisionsSchema,
  openScenario,
  rolloutRow,
  rolloutsSchema,
  TrainingRun,
  type UpdateRecord,
  useSimdBackend,
} from "../../lib/training/mod.ts";
import assert from "node:assert/strict";

await useSimdBackend();

const SMALL = {
  policy: { kind: "mlp", hiddenSizes: [8] },
  training: { environments: 3, episodeRequests: 30, statisticsStabilizationSteps: 10 },
  reward: { mode: "sojourn" },
  ppo: { rolloutLength: 16, epochs: 1 },
} satisfies ExperimentInput;

Deno.test("TrainingRun begins with episodes of different lengths, so that clusters fill up apart", async () => {
  const { decisions } = await record({
    ...SMALL,
    reward: { mode: "request" },
    training: { ...SMALL.training, statisticsStabilizationSteps: 0 },
  }, 4);
  const lengthOf = (environment: number, episode: number): number =>
    decisions.filter((decision) =>
      decision.environmentIndex === environment && decision.episodeIndex === episode
    ).length;
  // Episodes of 30 requests; a drained one routes all of its own.
  assert.deepEqual([0, 1, 2].map((environment) => lengthOf(environment, 0)), [10, 20, 30]);
  assert.equal(lengthOf(0, 1), 30);
});

Deno.test("TrainingRun begins every episode with a temperature controller that knows nothing", async () => {
  const { decisions } = await record({
    ...SMALL,
    training: { ...SMALL.training, temperature: { mode: "pulse" } },
  }, 4);
  const begun = new Map<string, number>();
  for (const { environmentIndex, episodeIndex, temperatureState } of decisions) {
    const key = `${environmentIndex} ${episodeIndex}`;
    if (!begun.has(key)) begun.set(key, temperatureState!.step);
  }
  // The first episodes began in the stabilisation, whose decisions have no temperature.
  assert.ok(begun.size > SMALL.training.environments, "some episode begins");
  assert.deepEqual([...new Set(begun.values())], [1]);
});

interface Recorded {
  readonly updates: readonly UpdateRecord[];
  readonly decisions: readonly DecisionRecord[];
  /** Actions of every rollout buffer. */
  readonly actions: readonly (readonly number[])[];
}

async function record(input: ExperimentInput, updates = 3): Promise<Recorded> {
  const decisions: DecisionRecord[] = [];
  const scenario = await openScenario(parseExperimentConfig(input));
  const onDecision = (decision: DecisionRecord): unknown => decisions.push(decision);
  const run = new TrainingRun(scenario, new Rng(1), undefined, { onDecision });
  try {
    const actions: number[][] = [];
    const records = Array.from({ length: updates }, () => {
      const update = run.update(updates);
      actions.push([...run.rollout.actions]);
      return update;
    });
    return { updates: records, decisions, actions };
  } finally {
    run.dispose();
  }
}

Deno.test("TrainingRun tells of every decision of its rollouts, in their order", async () => {
  const { updates, decisions, actions } = await record(SMALL);
  assert.equal(decisions.length, 3 * 16 * 3);
  for (const { update, actionCounts, reward, rewardMin, rewardMax } of updates) {
    const own = decisions.filter((decision) => decision.update === update);
    assert.deepEqual(own.map(({ action }) => action), actions[update - 1]);
    assert.equal(actionCounts.reduce((sum, count) => sum + count), own.length);
    const rewards = own.map(({ step }) => step.reward);
    assert.equal(rewards.reduce((sum, value) => sum + value) / own.length, reward.reward);
    assert.deepEqual([Math.min(...rewards), Math.max(...rewards)], [rewardMin, rewardMax]);
  }
  for (const decision of decisions) {
    const { logProbabilities, action, logProb, step, temperatureState } = decision;
    assert.equal(logProbabilities.length, 4);
    assert.equal(logProbabilities[action], logProb);
    const terms = REWARD_TERMS.reduce((sum, term) => sum + step.breakdown[term], 0);
    assert.equal(terms, step.breakdown.rawReward);
    assert.equal(temperatureState, null);
  }
  // A simulation's decisions follow one another; the first ten were those of the stabilisation.
  const first = decisions.filter(({ environmentIndex }) => environmentIndex === 0);
  assert.deepEqual(
    first.map(({ decisionIndex }) => decisionIndex),
    first.map((_, i) => Math.ceil(10 / 3) + i),
  );
  // The next decision of an episode comes when the step is over.
  const gaps = first.slice(1).map((next, i) => [next, first[i]!] as const)
    .filter(([next, last]) => next.episodeIndex === last.episodeIndex)
    .map(([next, last]) => next.nowSeconds - last.nowSeconds - last.step.elapsedSeconds);
  assert.ok(gaps.length > 20 && gaps.every((gap) => Math.abs(gap) < 1e-9));
});

Deno.test("TrainingRun learns the same whether decisions are recorded or not", async () => {
  const { updates } = await record(SMALL);
  const run = new TrainingRun(await openScenario(parseExperimentConfig(SMALL)), new Rng(1));
  assert.deepEqual([1, 2, 3].map(() => run.update(3)), updates);
  run.dispose();
});

Deno.test("decisionRow() says which decisions late rewards belong to", async () => {
  const { decisions } = await record({
    ...SMALL,
    reward: { mode: "request" },
    training: { ...SMALL.training, temperature: { mode: "pulse" } },
  });
  const rows = decisions.map(decisionRow);
  assert.equal(tableFromRows(decisionsSchema, rows).numRows, rows.length);
  const paid = new Set<string>();
  for (const row of rows) {
    const rewards = Array.from(row.credited_rewards);
    const sum = rewards.reduce((total, reward) => total + reward, 0);
    assert.ok(Math.abs(sum - (row.reward_request as number)) < 1e-9);
    for (const decision of Array.from(row.credited_decisions)) {
      assert.ok(decision <= row.decision, "a decision is paid for after it was taken");
      const key = `${row.environment} ${decision}`;
      assert.ok(!paid.has(key), "once");
      paid.add(key);
    }
    assert.equal(typeof row.temperature_pulse_remaining, "number");
  }
  assert.ok(paid.size > 50);
});

Deno.test("rolloutRow() fits its columns", async () => {
  const { updates } = await record(SMALL);
  const table = tableFromRows(rolloutsSchema, updates.map(rolloutRow));
  assert.deepEqual([...table.getChild("decisions")!], [48n, 96n, 144n]);
  assert.ok(updates.every(({ advantageStd }) => advantageStd > 0));
});
