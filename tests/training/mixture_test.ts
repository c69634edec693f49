/** Training on several tasks in one run. */
import assert from "node:assert/strict";
import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";
import {
  type DecisionRecord,
  evaluatePolicies,
  openScenario,
  policyEntry,
  resizeTrainedPolicy,
  type TrainedPolicy,
  trainPolicy,
  type UpdateRecord,
  useSimdBackend,
} from "../../lib/training/mod.ts";
import { firstMasks } from "./_first_masks.ts";

await useSimdBackend();

type Mixture = NonNullable<NonNullable<ExperimentInput["training"]>["mixture"]>;

const BASE = {
  cluster: { replicas: [{ gpu: "a100" }, { gpu: "a40" }] },
  workload: { kind: "fitted", ratePerSecond: 4 },
  policy: { kind: "replica_scorer", hiddenSize: 8 },
  ppo: { rolloutLength: 16, minibatchSize: 16 },
  training: { environments: 4, decisions: 128, episodeRequests: 40 },
  evaluation: { seeds: [101], requests: 60 },
} satisfies ExperimentInput;

function inputOf(mixture: Mixture, change: ExperimentInput = {}): ExperimentInput {
  return { ...BASE, training: { ...BASE.training, mixture }, ...change };
}

const open = (input: ExperimentInput) => openScenario(parseExperimentConfig(input));

const PAIR: Mixture[number] = { cluster: { replicas: [{ gpu: "h100", count: 2 }] } };
const FIVE: Mixture[number] = { cluster: { replicas: [{ gpu: "a100", count: 5 }] } };

Deno.test("openScenario() deals the simulations over the mixture by weight", async () => {
  const gpus = async (mixture: Mixture, environments: number) => {
    const { trainingTasks } = await open(
      inputOf(mixture, { training: { ...BASE.training, environments, mixture } }),
    );
    return trainingTasks.map(({ replicas }) => `${replicas[0]!.gpu}x${replicas.length}`);
  };
  assert.deepEqual(await gpus([], 2), ["a100x2", "a100x2"]);
  assert.deepEqual(await gpus([{}, PAIR], 4), ["a100x2", "h100x2", "a100x2", "h100x2"]);
  // smooth weighted round robin, by hand: credits 3:1 -> first, first, second, first
  assert.deepEqual(
    await gpus([{ ...FIVE, weight: 3 }, PAIR], 8),
    ["a100x5", "a100x5", "h100x2", "a100x5", "a100x5", "a100x5", "h100x2", "a100x5"],
  );
});

Deno.test("an episode draws its load from the entry's range and leaves the requests as they are", async () => {
  const plain = await open(inputOf([{}]));
  const scaled = await open(inputOf([{ rateScale: [0.5, 0.9] }]));
  const scales = [1, 2, 3, 4, 5, 6].map((seed) => {
    const [one, other] = [plain, scaled].map(({ trainingTasks }) =>
      trainingTasks[0]!.trainingWorkload(new Rng(seed), 30)
    );
    assert.deepEqual(other!.promptTokens, one!.promptTokens);
    assert.deepEqual(other!.outputTokens, one!.outputTokens);
    const scale = one!.arrivalSeconds[29]! / other!.arrivalSeconds[29]!;
    assert.ok(scale >= 0.5 && scale <= 0.9, `${scale}`);
    return scale;
  });
  assert.equal(new Set(scales).size, 6);
  assert.ok(Math.max(...scales) - Math.min(...scales) > 0.1, `${scales}`);
});

Deno.test("a mixture of the experiment itself trains as without one", async () => {
  const weightsOf = async (mixture: Mixture) => {
    const trained = await trainPolicy(await open(inputOf(mixture)), { rng: new Rng(3) });
    const weights = trained.policy.getWeights();
    trained.policy.dispose();
    return weights;
  };
  assert.deepEqual(await weightsOf([{}]), await weightsOf([]));
  assert.notDeepEqual(await weightsOf([{ rateScale: [0.5, 0.9] }]), await weightsOf([]));
});

Deno.test("each simulation has the incidents and the cluster of its entry", async () => {
  const failing: Mixture[number] = {
    ...FIVE,
    incidents: { events: [{ kind: "fail", replica: 3, atFraction: [0, 0] }] },
  };
  const scenario = await open(inputOf([{}, failing]));
  assert.deepEqual(firstMasks(scenario), [[1, 1], [1, 1, 1, 0, 1], [1, 1], [1, 1, 1, 0, 1]]);
});

Deno.test("trainPolicy() learns from clusters of several sizes and serves others", async () => {
  const scenario = await open(inputOf([{}, FIVE, PAIR], {
    training: {
      ...BASE.training,
      environments: 3,
      decisions: 144,
      mixture: [{}, FIVE, PAIR],
      tailLatency: { minSamples: 1 },
    },
  }));
  const updates: UpdateRecord[] = [];
  const decisions: DecisionRecord[] = [];
  const trained: TrainedPolicy = await trainPolicy(scenario, {
    rng: new Rng(1),
    onUpdate: (record) => updates.push(record),
    onDecision: (record) => decisions.push(record),
  });
  assert.equal(trained.replicaCount, 5);
  assert.equal(updates.length, 3);
  for (const { actionCounts } of updates) {
    assert.equal(actionCounts.length, 5);
    assert.equal(actionCounts.reduce((a, b) => a + b), 48);
  }
  for (const { environmentIndex, actionMask, logProbabilities, action } of decisions) {
    const count = [2, 5, 2][environmentIndex]!;
    assert.deepEqual([...actionMask], Array(count).fill(1));
    const total = logProbabilities.reduce((sum, logProb) => sum + Math.exp(logProb), 0);
    assert.ok(Math.abs(total - 1) < 1e-5, `${total}`);
    assert.ok(action < count);
  }
  const fitting = resizeTrainedPolicy(trained, 2);
  const [run] = await evaluatePolicies(scenario, [policyEntry(fitting, "policy", "greedy")]);
  assert.equal(run!.result.unfinishedCount, 0);
  trained.policy.dispose();
});

Deno.test("openScenario() refuses mixtures that nothing can be learnt from", async () => {
  const cases: [ExperimentInput, string, RegExp][] = [
    [
      inputOf([{}, FIVE, PAIR, {}, { weight: 0.1 }]),
      "training.environments",
      /must be enough for each entry of training\.mixture, of which training\.mixture\[4\] gets none, current value is 4$/,
    ],
    [
      inputOf([PAIR, FIVE], { policy: { kind: "mlp", hiddenSizes: [8] } }),
      "training.mixture[1].cluster",
      /must be of 2 replicas, as the experiment's cluster, since policy\.kind mlp has weights for every replica/,
    ],
    [inputOf([{ rateScale: [0.9, 0.5] }]), "training.mixture[0].rateScale", /low <= high/],
    [inputOf([{ rateScale: [0, 0.5] }]), "training.mixture[0].rateScale[0]", /> 0/],
    [inputOf([{ weight: 0 }]), "training.mixture[0].weight", /> 0/],
  ];
  for (const [input, field, message] of cases) {
    await assert.rejects(async () => await open(input), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.field.replaceAll(/\.(\d+)/g, "[$1]"), field);
      assert.match(error.message, message);
      return true;
    });
  }
});
