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
import { besideConstants, withConstants } from "./_with_constants.ts";

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
      ttftSeconds: 0,
      ttftExternalitySeconds: 0,
      jobSeconds: 0,
    }));
  }
}

function createSetup(members: LateEnvironment[], kind: "mlp" | "actor_critic" = "mlp") {
  const config = kind === "mlp"
    ? policySchema.parse({ kind, hiddenSizes: [4] })
    : policySchema.parse({ kind, hiddenSize: 4, featureProjectionDim: 4, gruLayers: 1 });
  const shown = kind === "mlp" ? members : members.map(withConstants);
  const policy = createPolicy(config, shown[0]!, new Rng(1));
  const environments = new VectorEnvironment<Environment>(shown);
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

Deno.test("collectCreditedRollout() pairs each decision with its own reward, and hands it on once", () => {
  const delays = [(i: number) => i % 5, () => 2];
  const setup = createSetup(delays.map((delay, n) => new LateEnvironment(delay, 100 * n)));
  const { buffer, policy, environments } = setup;
  const decisions: number[][] = [[], []];
  for (let k = 0; k < 5; k++) {
    const stats = collectCreditedRollout(policy, environments, setup);
    for (const n of [0, 1]) {
      const observed = column(buffer.observations, n, 2).map((x) => Math.round(100 * x));
      assert.deepEqual(column(buffer.rewards, n, 2), observed.map((i) => i + 100 * n));
      decisions[n]!.push(...observed);
    }
    assert.equal(stats.decisionCount, 8);
    // A return is the reward itself, up to single precision.
    assertAllClose(buffer.returns, buffer.rewards, { atol: 1e-4 });
  }
  // In order of reward: decisions 0, 1, 2, ... of the first environment are paid after steps
  // 0, 2, 4, 6, 8, 5, 7, 9, ...
  assert.deepEqual(decisions[0]!.slice(0, 8), [0, 1, 2, 5, 3, 6, 4, 7]);
  assert.deepEqual(decisions[1], Array.from({ length: 20 }, (_, i) => i));
  assert.equal(new Set(decisions[0]).size, 20);
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
  const held = [1, 2, 3].map(() => {
    collectCreditedRollout(policy, environments, setup);
    return queue.heldCount;
  });
  // Ten steps to fill the first buffer, then one a rollout: 10 - 4, 11 - 8, 12 - 12.
  assert.deepEqual(held, [6, 3, 0]);
  policy.dispose();
});

Deno.test("collectCreditedRollout() is not held up by a request that never completes", () => {
  const setup = createSetup([new LateEnvironment((i) => i === 1 ? Infinity : 0)]);
  const { buffer, policy, environments, queue } = setup;
  collectCreditedRollout(policy, environments, setup);
  assert.deepEqual([...buffer.rewards], [0, 2, 3, 4]);
  assert.equal(queue.heldCount, 1);
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

Deno.test("collectCreditedRollout() keeps the order of decisions and their hidden states for recurrent policies", () => {
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
    const prediction = policy.predict(besideConstants(i / 100), { hiddenStates });
    hiddenStates = prediction.hiddenStates;
    return prediction.values[0]!;
  });
  assertAllClose(seen, expected, { atol: 1e-6 });
  assert.equal(new Set(expected).size, expected.length, "no two decisions are alike");
  assert.deepEqual(started, [1, 0, 0, 0, 0, 0, 0, 0]);
  policy.dispose();
});

/** A step of one environment whose only observation is `observation`. */
function stepOf(observation: number): Parameters<CreditQueue["push"]>[0] {
  return {
    observations: Float32Array.of(observation),
    episodeStarts: Uint8Array.of(0),
    actionMasks: Uint8Array.of(1, 1),
    temperatures: Float32Array.of(1),
    decision: {
      logits: new Float32Array(2),
      actions: new Int32Array(1),
      logProbs: new Float32Array(1),
      logProbabilities: new Float32Array(2),
      values: new Float32Array(1),
      hiddenStates: new Float32Array(0),
    },
  };
}

Deno.test("CreditQueue refuses to pay twice, to pay the unknown, and to hand on what is open", () => {
  const queue = new CreditQueue({ firstDecisions: [0], hiddenStateSize: 0 });
  queue.push(stepOf(7));
  const refused = {
    name: "RangeError",
    message: /decisionIndex must be one that waits for its reward, current value is/,
  };
  assert.throws(() => queue.credit(0, 1, 5), refused);
  assert.throws(() => queue.take(), {
    name: "RangeError",
    message: "Cannot hand on a step: isReady must be true, current value is false",
  });
  queue.credit(0, 0, 5);
  assert.throws(() => queue.credit(0, 0, 5), refused);
  const { step, rewards } = queue.take();
  assert.deepEqual([step.observations[0], rewards[0]], [7, 5]);
  assert.throws(() => queue.credit(0, 0, 5), refused);
  assert.equal(queue.heldCount, 0);
});

Deno.test("CreditQueue ignores credits of decisions from before its time", () => {
  const queue = new CreditQueue({ firstDecisions: [10], hiddenStateSize: 0 });
  queue.credit(0, 9, 1);
  assert.equal(queue.isReady, false);
});

Deno.test("CreditQueue.restore() goes on exactly where the state was taken", () => {
  const original = new CreditQueue({ firstDecisions: [0], hiddenStateSize: 0 });
  for (const i of [0, 1, 2, 3]) original.push(stepOf(i));
  for (const i of [2, 0]) original.credit(0, i, -i);
  original.take();
  const copy = new CreditQueue({ firstDecisions: [0], hiddenStateSize: 0 });
  copy.restore(structuredClone(original.toJSON()));
  for (const queue of [original, copy]) {
    queue.credit(0, 3, -3);
    queue.push(stepOf(4));
    queue.credit(0, 1, -1);
  }
  while (original.isReady) assert.deepEqual(copy.take(), original.take());
  assert.deepEqual([copy.heldCount, original.heldCount], [1, 1]);
  const other = new CreditQueue({ firstDecisions: [0, 0], hiddenStateSize: 0 });
  assert.throws(() => other.restore(original.toJSON()), {
    name: "RangeError",
    message: /must have 2 environments and 0 numbers of hidden state, current value is 1 and 0/,
  });
});
