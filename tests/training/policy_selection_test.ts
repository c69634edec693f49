import assert from "node:assert/strict";
import { applyAssignments, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  loadCheckpoint,
  loadTrainedPolicy,
  openScenario,
  PolicySelection,
  type Scenario,
  TrainingRun,
  trainPolicy,
  useSimdBackend,
  type ValidationRecord,
} from "../../lib/training/mod.ts";
import { withFolder } from "../_helpers.ts";

await useSimdBackend();

const UPDATES = 6;

/** Steps so large that the policy gets worse again. */
const BASE = parseExperimentConfig({
  cluster: { replicas: [{ gpu: "h100" }, { gpu: "a40" }] },
  workload: { kind: "fitted", ratePerSecond: 6 },
  policy: { kind: "replica_scorer", hiddenSize: 4 },
  ppo: {
    rolloutLength: 16,
    minibatchSize: 16,
    epochs: 2,
    learningRate: 0.3,
    learningRateSchedule: "constant",
  },
  training: {
    environments: 2,
    decisions: UPDATES * 2 * 16,
    episodeRequests: 60,
    validation: { everyUpdates: 1, requests: 80 },
  },
});

function scenario(validation: Readonly<Record<string, number | string>> = {}): Promise<Scenario> {
  const assignments = Object.entries(validation)
    .map(([key, value]) => ({ path: `training.validation.${key}`, value }));
  return openScenario(applyAssignments(BASE, assignments));
}

/** Weights and normaliser that a run results in, and its validations. */
async function train(where: Scenario, options: Partial<Parameters<typeof trainPolicy>[1]> = {}) {
  const records: ValidationRecord[] = [];
  const { policy, normalizer } = await trainPolicy(where, {
    rng: new Rng(3),
    onValidation: (record) => records.push(record),
    ...options,
  });
  const weights = policy.getWeights();
  policy.dispose();
  return { weights, normalizer: normalizer.toJSON(), records };
}

Deno.test("trainPolicy() validates every few updates and after the last", async () => {
  const { records } = await train(await scenario({ everyUpdates: 4 }));
  assert.deepEqual(records.map(({ update, decisions }) => [update, decisions]), [[4, 128], [
    6,
    192,
  ]]);
  assert.deepEqual((await train(await scenario({ everyUpdates: 0 }))).records, []);
});

Deno.test("validation does not move what is learnt", async () => {
  const without = await train(await scenario({ everyUpdates: 0 }));
  const last = await train(await scenario({ keep: "last" }));
  assert.deepEqual(last.weights, without.weights);
  assert.deepEqual(last.normalizer, without.normalizer);
});

Deno.test("trainPolicy() results in the policy that cost least in validation", async () => {
  const { records, weights } = await train(await scenario());
  assert.equal(records.length, UPDATES);
  const best = records.reduce((a, b) => b.costSeconds < a.costSeconds ? b : a);
  assert.ok(best.update < UPDATES, "otherwise the last would do");
  // A run that keeps its last policy and ends there has the same weights: its rate is constant.
  const shorter = applyAssignments((await scenario({ keep: "last" })).config, [
    { path: "training.decisions", value: best.decisions },
  ]);
  assert.deepEqual(weights, (await train(await openScenario(shorter))).weights);
});

Deno.test("PolicySelection keeps the earlier one of two that cost the same", async () => {
  const where = await scenario();
  const selection = (await PolicySelection.open(where))!;
  const run = new TrainingRun(where, new Rng(3));
  for (const update of [1, 2]) await selection.consider(run.current(), { update, decisions: 0 });
  run.dispose();
  assert.equal(selection.selected?.update, 1);
});

Deno.test("validation prices first tokens as the reward does", async () => {
  const where = await scenario();
  const aware = await openScenario(
    applyAssignments(where.config, [{ path: "reward.ttftWeight", value: 5 }]),
  );
  for (const { e2eMeanSeconds, ttftMeanSeconds, costSeconds } of (await train(aware)).records) {
    assert.equal(costSeconds, e2eMeanSeconds + 5 * ttftMeanSeconds);
  }
});

Deno.test("a resumed run chooses as one without a stop, and a checkpoint acts as chosen by then", () =>
  withFolder(async (folder) => {
    const where = await scenario();
    const whole = await train(where);
    const best = whole.records.reduce((a, b) => b.costSeconds < a.costSeconds ? b : a);
    const stop = Math.max(best.update, 1);
    const controller = new AbortController();
    await assert.rejects(
      train(where, {
        checkpoints: { folder, everyUpdates: 1, keepLast: 1 },
        signal: controller.signal,
        onUpdate: ({ update }) => update === stop + 1 && controller.abort(new Error("stopped")),
      }),
      /stopped/,
    );
    const { checkpoint } = await loadCheckpoint(folder);
    assert.equal(checkpoint.training!.selected!.update, best.update);
    const acting = await loadTrainedPolicy(folder);
    assert.deepEqual(acting.policy.getWeights(), whole.weights);
    acting.policy.dispose();
    const resumed = await train(where, { resume: checkpoint });
    assert.deepEqual(resumed.weights, whole.weights);
    assert.deepEqual(resumed.normalizer, whole.normalizer);
    assert.deepEqual(resumed.records, whole.records.slice(stop + 1));
  }));
