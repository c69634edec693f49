import assert from "node:assert/strict";
import { createPolicy, type Policy, policySchema } from "../../lib/policy/mod.ts";
import { ppoSchema, RewardScaler } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { CreditQueue } from "../../lib/training/credit_queue.ts";
import { collectCreditedRollout } from "../../lib/training/credited_rollout.ts";
import {
  createRolloutBuffer,
  type DecisionCredit,
  type Environment,
  type StepResult,
  VectorEnvironment,
} from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";

const CONFIG = ppoSchema.parse({ rolloutLength: 4, gaeLambda: 0.9 });

/**
 * Observation = decisions so far / 100; the reward of decision i is i + offset and comes `delay`
 * steps later, newest first where several are due.
 */
class LateEnvironment implements Environment {
  readonly observationSize = 1;
  readonly actionCount = 2;
  readonly #delay: (decision: number) => number;
  readonly #offset: number;
  readonly #due = new Map<number, number[]>();
  #decisions = 0;

  constructor(delay: (decision: number) => number, offset = 0) {
    this.#delay = delay;
    this.#offset = offset;
  }

  reset(observation: Float32Array): void {
    observation[0] = this.#decisions / 100;
  }

  step(_action: number, observation: Float32Array): StepResult {
    const decision = this.#decisions++;
    const at = this.#decisions + this.#delay(decision);
    this.#due.set(at, [decision, ...(this.#due.get(at) ?? [])]);
    observation[0] = this.#decisions / 100;
    return { reward: 0, terminated: false, truncated: false, discount: 0 };
  }

  takeCredits(): DecisionCredit[] {
    const due = this.#due.get(this.#decisions) ?? [];
    this.#due.delete(this.#decisions);
    return due.map((decisionIndex) => ({
      decisionIndex,
      request: decisionIndex,
      reward: decisionIndex + this.#offset,
      latencySeconds: 0,
      externalitySeconds: 0,
    }));
  }
}

function createSetup(members: LateEnvironment[], kind: "mlp" | "actor_critic" = "mlp") {
  const config = kind === "mlp"
    ? policySchema.parse({ kind, hiddenSizes: [4] })
    : policySchema.parse({ kind, hiddenSize: 4, featureProjectionDim: 4, gruLayers: 1 });
  const policy = createPolicy(config, members[0]!, new Rng(1));
  const environments = new VectorEnvironment(members);
  const environmentCount = members.length;
  const queue = new CreditQueue({
    firstDecisions: members.map(() => 0),
    hiddenStateSize: policy.hiddenStateSize,
  });
  return {
    policy,
    environments,
    buffer: createRolloutBuffer(policy, CONFIG, { environmentCount }),
    queue,
    takeCredits: (n: number) => members[n]!.takeCredits(),
    rng: new Rng(2),
    config: CONFIG,
  };
}

/** Column of one environment out of a `[T, N]` array. */
function column(values: ArrayLike<number>, n: number, count: number): number[] {
  return Array.from({ length: values.length / count }, (_, t) => values[t * count + n]!);
}

/** Recomputes the log-probabilities of the buffer's actions under the policy as it is. */
function logProbsNow(policy: Policy, observations: Float32Array, actions: Int32Array): number[] {
  return Array.from(actions, (action, i) => {
    const { logits } = policy.predict(observations.slice(i, i + 1));
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return logits[action]! - total;
  });
}

Deno.test("collectCreditedRollout() pairs each decision with its own reward, in order of decision", () => {
  const delays = [(i: number) => i % 3, () => 2];
  const setup = createSetup(delays.map((delay, n) => new LateEnvironment(delay, 100 * n)));
  const { buffer, policy, environments } = setup;
  for (const first of [0, 4, 8]) {
    const stats = collectCreditedRollout(policy, environments, setup);
    const decisions = [0, 1, 2, 3].map((t) => first + t);
    assert.deepEqual(column(buffer.rewards, 0, 2), decisions);
    assert.deepEqual(column(buffer.rewards, 1, 2), decisions.map((i) => 100 + i));
    for (const n of [0, 1]) {
      assertAllClose(column(buffer.observations, n, 2), decisions.map((i) => i / 100), {
        atol: 1e-7,
      });
    }
    assert.equal(stats.rewardMean, first + 1.5 + 50);
    assert.equal(stats.decisionCount, 8);
    // With a discount of 0 a return is the reward itself.
    assertAllClose(buffer.returns, buffer.rewards, { atol: 1e-4 });
  }
  policy.dispose();
});

Deno.test("collectCreditedRollout() stores the log-probabilities of the policy that decided", () => {
  const setup = createSetup([new LateEnvironment(() => 0)]);
  const { buffer, policy, environments } = setup;
  collectCreditedRollout(policy, environments, setup);
  assertAllClose(buffer.logProbs, logProbsNow(policy, buffer.observations, buffer.actions), {
    atol: 1e-6,
  });
  policy.dispose();
});

Deno.test("collectCreditedRollout() keeps open decisions for the next rollout, at least one new a time", () => {
  // All rewards of the first ten decisions come with the tenth.
  const setup = createSetup([new LateEnvironment((i) => Math.max(0, 9 - i))]);
  const { policy, environments, queue } = setup;
  const waiting = [1, 2, 3].map(() => {
    collectCreditedRollout(policy, environments, setup);
    return queue.length;
  });
  // Ten steps to fill the first buffer, then one a rollout: 10 - 4, 11 - 8, 12 - 12.
  assert.deepEqual(waiting, [6, 3, 0]);
  policy.dispose();
});

Deno.test("collectCreditedRollout() scales rewards as returns of their own", () => {
  const setup = createSetup([new LateEnvironment(() => 1)]);
  const rewardScaler = new RewardScaler({ environmentCount: 1, gamma: 0.9, clip: null });
  collectCreditedRollout(setup.policy, setup.environments, { ...setup, rewardScaler });
  const reference = new RewardScaler({ environmentCount: 1, gamma: 0, clip: null });
  const expected = [0, 1, 2, 3].map((reward) => reference.scale([reward], [0])[0]!);
  assert.deepEqual([...setup.buffer.rewards], expected);
  setup.policy.dispose();
});

Deno.test("collectCreditedRollout() carries hidden states past the open decisions", () => {
  const setup = createSetup([new LateEnvironment((i) => i % 2)], "actor_critic");
  const { buffer, policy, environments } = setup;
  const seen: number[] = [];
  const started: number[] = [];
  for (let k = 0; k < 2; k++) {
    collectCreditedRollout(policy, environments, setup);
    seen.push(...buffer.values);
    started.push(...buffer.episodeStarts);
  }
  let hiddenStates = policy.initialHiddenStates(1);
  const expected = seen.map((_, i) => {
    const prediction = policy.predict(Float32Array.of(i / 100), { hiddenStates });
    hiddenStates = prediction.hiddenStates;
    return prediction.values[0]!;
  });
  assertAllClose(seen, expected, { atol: 1e-6 });
  assert.deepEqual(started, [1, 0, 0, 0, 0, 0, 0, 0]);
  policy.dispose();
});

Deno.test("CreditQueue refuses to pay twice, to pay the unknown, and to hand on what is open", () => {
  const setup = createSetup([new LateEnvironment(() => 50)]);
  const { policy, environments, buffer, queue } = setup;
  environments.reset();
  const { observations, episodeStarts, actionMasks } = environments;
  const decision = policy.act(observations, { sampler: new Rng(1) });
  queue.push(
    { observations, episodeStarts, actionMasks, temperatures: Float32Array.of(1), decision },
    { terminated: [0], truncated: [0], truncationValues: [0], discounts: [0] },
  );
  const refused = {
    name: "RangeError",
    message: /decisionIndex must be one that waits for its reward, current value is/,
  };
  assert.throws(() => queue.credit(0, 1, 5), refused);
  assert.throws(() => queue.shiftInto(buffer, [0]), {
    name: "RangeError",
    message: "Cannot hand on a step: the rewards still open must be 0, current value is 1",
  });
  queue.credit(0, 0, 5);
  assert.throws(() => queue.credit(0, 0, 5), refused);
  assert.deepEqual([...queue.oldestRewards!], [5]);
  queue.shiftInto(buffer, queue.oldestRewards!);
  assert.equal(queue.length, 0);
  assert.equal(buffer.rewards[0], 5);
  policy.dispose();
});

Deno.test("CreditQueue ignores credits of decisions from before its time", () => {
  const queue = new CreditQueue({ firstDecisions: [10], hiddenStateSize: 0 });
  queue.credit(0, 9, 1);
  assert.equal(queue.isReady, false);
  assert.equal(queue.oldestValues, undefined);
});
