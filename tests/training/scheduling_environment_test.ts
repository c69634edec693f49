import fc from "fast-check";
import assert from "node:assert/strict";
import { Rng } from "../../lib/random/mod.ts";
import { rewardSchema } from "../../lib/reward/mod.ts";
import { type ReplicaSpec, schedulerSchema, Simulator } from "../../lib/simulator/mod.ts";
import { normalizerSchema, RunningNormalizer, stateSchema } from "../../lib/state/mod.ts";
import {
  type DecisionCredit,
  SchedulingEnvironment,
  type SchedulingEnvironmentOptions,
  type SchedulingStep,
} from "../../lib/training/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";
import { assertAllClose } from "../_helpers.ts";

/** A replica whose iterations take a fixed time plus some for every token. */
function replica(fixedSeconds: number, secondsPerToken = 1e-4): ReplicaSpec {
  return {
    gpu: "made up",
    model: "made up",
    tensorParallel: 1,
    stageCount: 1,
    kvBlocks: 200,
    maxBatchSize: 128,
    scheduler: schedulerSchema.parse({}),
    timer: {
      modelSeconds: (batch) => fixedSeconds + secondsPerToken * batch.totalTokens,
      overheadSeconds: () => 0,
    },
  };
}

function workload(rng: Rng, count: number): Workload {
  const arrivalSeconds = new Float64Array(count);
  let now = 0;
  for (let i = 0; i < count; i++) arrivalSeconds[i] = now += rng.exponential(4);
  return {
    name: "random",
    count,
    arrivalSeconds,
    promptTokens: Int32Array.from({ length: count }, () => 1 + rng.below(800)),
    outputTokens: Int32Array.from({ length: count }, () => 1 + rng.below(40)),
  };
}

interface Setup extends Partial<Omit<SchedulingEnvironmentOptions, "state" | "reward">> {
  readonly state?: Record<string, unknown>;
  readonly reward?: Record<string, unknown>;
  readonly seed?: number;
  readonly count?: number;
}

function environmentOf(setup: Setup = {}): SchedulingEnvironment {
  const { state = {}, reward = {}, seed = 1, count = 30, ...rest } = setup;
  return new SchedulingEnvironment({
    replicas: [replica(0.02), replica(0.05)],
    createWorkload: (_episodeIndex, rng) => workload(rng, count),
    rng: new Rng(seed),
    state: stateSchema.parse(state),
    reward: rewardSchema.parse(reward),
    ...rest,
  });
}

interface Episode {
  readonly observations: Float32Array[];
  readonly steps: SchedulingStep[];
  readonly credits: DecisionCredit[];
}

/** Plays one episode to its end, choosing replicas in turn unless told otherwise. */
function play(
  environment: SchedulingEnvironment,
  choose: (stepIndex: number) => number = (i) => i % environment.actionCount,
): Episode {
  const observation = new Float32Array(environment.observationSize).fill(NaN);
  environment.reset(observation);
  const episode: Episode = { observations: [observation.slice()], steps: [], credits: [] };
  for (let i = 0;; i++) {
    const step = environment.step(choose(i), observation);
    episode.observations.push(observation.slice());
    episode.steps.push(step);
    episode.credits.push(...environment.takeCredits());
    if (step.terminated || step.truncated) return episode;
  }
}

const MODES = ["delta", "instant", "hybrid", "sojourn", "request"] as const;
const LAYOUTS = ["vidurrl", "signalbox"] as const;

Deno.test("SchedulingEnvironment gives the same bytes for the same seed, other ones for another", () => {
  for (const layout of LAYOUTS) {
    for (const mode of MODES) {
      const setup = { state: { layout }, reward: { mode } };
      const first = environmentOf(setup);
      const second = environmentOf(setup);
      for (let k = 0; k < 2; k++) assert.deepEqual(play(second), play(first));
      assert.notDeepEqual(play(environmentOf({ ...setup, seed: 2 })), play(environmentOf(setup)));
    }
  }
});

Deno.test("SchedulingEnvironment has workloads that differ between episodes, not between policies", () => {
  const seen: Workload[] = [];
  const createWorkload = (_index: number, rng: Rng): Workload => {
    seen.push(workload(rng, 30));
    return seen.at(-1)!;
  };
  for (const action of [0, 1]) {
    const environment = environmentOf({ createWorkload });
    play(environment, () => action);
    play(environment, () => action);
  }
  assert.notDeepEqual(seen[0], seen[1]);
  assert.deepEqual([seen[2], seen[3]], [seen[0], seen[1]]);
});

Deno.test("SchedulingEnvironment cuts an episode at the last arrival, in a state that has a value", () => {
  const environment = environmentOf({ count: 30 });
  const { steps, observations } = play(environment);
  assert.equal(steps.length, 29);
  assert.ok(steps.slice(0, -1).every(({ terminated, truncated }) => !terminated && !truncated));
  assert.deepEqual([steps.at(-1)!.terminated, steps.at(-1)!.truncated], [false, true]);
  const globalQueueLength = environment.featureNames.indexOf("global_queue_length");
  assert.equal(observations.at(-1)![globalQueueLength], 1);
});

Deno.test("SchedulingEnvironment drains the cluster when told to, and completes every request", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 2, max: 40 }), (seed, count) => {
      const environment = environmentOf({ seed, count, episodeEnd: "drain" });
      const { steps } = play(environment);
      assert.equal(steps.length, count);
      assert.deepEqual([steps.at(-1)!.terminated, steps.at(-1)!.truncated], [true, false]);
      assert.equal(environment.totals.completedCount, count);
      assert.equal(environment.totals.decisionCount, count);
    }),
    { numRuns: 20 },
  );
});

Deno.test("SchedulingEnvironment agrees with a plain run of the simulator under the same actions", () => {
  const seed = 5;
  const replicas = [replica(0.02), replica(0.05)];
  const requests = workload(new Rng(seed).stream("episode 0").stream("workload"), 30);
  const actions = Array.from({ length: 30 }, (_, i) => (i * i) % 2);
  const { outcomes } = new Simulator(requests, replicas)
    .run(({ request }) => actions[request.index]!);
  const sojourns = requests.arrivalSeconds.map((at, i) => outcomes.completedSeconds[i]! - at);
  const total = sojourns.reduce((sum, seconds) => sum + seconds, 0);

  const environment = environmentOf({
    replicas,
    seed,
    episodeEnd: "drain",
    reward: { mode: "sojourn" },
  });
  const { steps } = play(environment, (i) => actions[i]!);
  // Sums of 30 values in another order.
  assertAllClose([environment.totals.latencySumSeconds], [total], { rtol: 1e-12 });
  // Little's law: the job-seconds of all intervals are the sojourn times of all requests.
  assertAllClose([-steps.reduce((sum, { reward }) => sum + reward, 0)], [total], { rtol: 1e-12 });
});

Deno.test("SchedulingEnvironment credits a reward to the action that caused it", () => {
  // One request in the system at a time: replica 1 takes 5 s an iteration, replica 0 takes 1 s.
  const createWorkload = (): Workload => ({
    name: "far apart",
    count: 4,
    arrivalSeconds: Float64Array.of(0, 100, 200, 300),
    promptTokens: Int32Array.of(10, 10, 10, 10),
    outputTokens: Int32Array.of(1, 1, 1, 1),
  });
  const environment = environmentOf({
    replicas: [replica(1, 0), replica(5, 0)],
    createWorkload,
    reward: { mode: "sojourn" },
  });
  const { steps } = play(environment, (i) => [0, 1, 0][i]!);
  assert.deepEqual(steps.map(({ reward }) => reward), [-1, -5, -1]);
  assert.deepEqual(steps.map(({ elapsedSeconds }) => elapsedSeconds), [100, 100, 100]);
});

Deno.test("SchedulingEnvironment discounts per simulated second when given a time constant", () => {
  const perSecond = play(environmentOf({ discountTauSeconds: 20 })).steps;
  for (const { discount, elapsedSeconds } of perSecond) {
    assert.equal(discount, Math.exp(-elapsedSeconds / 20));
  }
  assert.ok(play(environmentOf()).steps.every(({ discount }) => discount === undefined));
});

Deno.test("SchedulingEnvironment credits every decision of a drained episode with its own request", () => {
  const environment = environmentOf({
    reward: { mode: "request", externalityWeight: 0 },
  });
  play(environment);
  const before = environment.totals.latencySumSeconds;
  const { steps, credits } = play(environment);
  assert.ok(steps.every(({ reward, discount }) => reward === 0 && discount === 0));
  const credited = credits.map(({ decisionIndex }) => decisionIndex).sort((a, b) => a - b);
  // Thirty decisions were taken in the episode before.
  assert.deepEqual(credited, steps.map((_, i) => 30 + i));
  const terms = steps.reduce((total, { breakdown }) => total + breakdown.requestTerm, 0);
  const sum = credits.reduce((total, { reward }) => total + reward, 0);
  // The same thirty latencies in sums of other groupings.
  const latencies = environment.totals.latencySumSeconds - before;
  assertAllClose([-sum, -terms], [latencies, latencies], { rtol: 1e-12 });
});

Deno.test("SchedulingEnvironment charges externality once the batch holds others", () => {
  const externalities = (action: (i: number) => number): number =>
    play(environmentOf({ reward: { mode: "request" } }), action)
      .credits.reduce((sum, { externalitySeconds }) => sum + externalitySeconds, 0);
  const crowded = externalities(() => 0);
  const spread = externalities((i) => i % 2);
  assert.ok(crowded > spread && spread > 0, `${crowded} > ${spread}`);
});

Deno.test("SchedulingEnvironment.restore() continues a saved episode exactly", () => {
  const original = environmentOf({ seed: 3 });
  const observation = new Float32Array(original.observationSize);
  play(original);
  original.reset(observation);
  for (let i = 0; i < 11; i++) original.step(i % 2, observation);
  const copy = environmentOf({ seed: 3 });
  const restored = new Float32Array(copy.observationSize);
  copy.restore(JSON.parse(JSON.stringify(original)), restored);
  assert.deepEqual(restored, observation);
  assert.deepEqual(copy.totals, original.totals);
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(copy.step(1, restored), original.step(1, observation));
    assert.deepEqual(restored, observation);
  }
  assert.deepEqual(play(copy), play(original));
});

Deno.test("SchedulingEnvironment shows no output length by default: they do not move observations", () => {
  // The same arrivals and prompts, other outputs that end after the last decision.
  const outputs = (tokens: number) => (_index: number, rng: Rng): Workload => ({
    ...workload(rng, 10),
    outputTokens: new Int32Array(10).fill(tokens),
  });
  for (const layout of LAYOUTS) {
    const observationsOf = (decodeLengths: string, tokens: number): Float32Array[] =>
      play(environmentOf({
        createWorkload: outputs(tokens),
        replicas: [replica(1), replica(1)],
        state: { layout, decodeLengths },
      })).observations;
    assert.deepEqual(observationsOf("hidden", 900), observationsOf("hidden", 901));
    assert.notDeepEqual(observationsOf("true", 900), observationsOf("true", 901));
  }
});

Deno.test("SchedulingEnvironment gives finite observations that a normaliser brings within its clip", () => {
  for (const layout of LAYOUTS) {
    const environment = environmentOf({ state: { layout }, count: 60 });
    const normalizer = new RunningNormalizer(
      environment.observationSize,
      normalizerSchema.parse({}),
    );
    for (const observation of play(environment).observations) {
      assert.ok(observation.every(Number.isFinite));
      normalizer.update(observation);
      const z = normalizer.normalize(observation, new Float32Array(observation.length));
      assert.ok(z.every((value) => Math.abs(value) <= 5));
    }
  }
});

Deno.test("SchedulingEnvironment lets every replica be chosen while all are up", () => {
  const environment = environmentOf();
  environment.reset(new Float32Array(environment.observationSize));
  const mask = new Uint8Array(2);
  environment.actionMask(mask);
  assert.deepEqual([...mask], [1, 1]);
});

Deno.test("SchedulingEnvironment refuses to step outside an episode, bad actions, tiny workloads", () => {
  const environment = environmentOf();
  const observation = new Float32Array(environment.observationSize);
  const outside = { name: "UsageError", message: /reset\(\) must begin an episode first/ };
  assert.throws(() => environment.step(0, observation), outside);
  assert.throws(() => environment.toJSON(), outside);
  play(environment);
  assert.throws(() => environment.step(0, observation), outside);
  environment.reset(observation);
  assert.throws(() => environment.step(2, observation), {
    name: "RangeError",
    message: /replicaIndex must be an available replica in \[0, 2\), current value is 2/,
  });
  assert.throws(() => environmentOf({ count: 1 }).reset(observation), {
    name: "RangeError",
    message: "Cannot begin an episode: its workload must have at least 2 requests, current value " +
      "is 1",
  });
  assert.throws(() => environmentOf({ reward: { mode: "request" }, episodeEnd: "cut" }), {
    name: "ConfigError",
    message: /episodeEnd must be "drain" in reward mode request, current value is "cut"/,
  });
});

/** Four requests a second apart on two replicas; replica 0 fails at 1.5 s for a second. */
const failing: Setup = {
  replicas: [replica(2, 0), replica(2, 0)],
  createWorkload: () => ({
    name: "a second apart",
    count: 4,
    arrivalSeconds: Float64Array.of(0, 1, 2, 3),
    promptTokens: Int32Array.of(10, 10, 10, 10),
    outputTokens: Int32Array.of(1, 1, 1, 1),
  }),
  createIncidents: () => [
    { kind: "fail", atSeconds: 1.5, replica: 0 },
    { kind: "recover", atSeconds: 2.5, replica: 0 },
  ],
};

Deno.test("SchedulingEnvironment masks a failed replica and routes its requests again", () => {
  const environment = environmentOf({ ...failing, reward: { mode: "request" } });
  const observation = new Float32Array(environment.observationSize);
  const mask = new Uint8Array(2);
  const masks: string[] = [];
  const credits: DecisionCredit[] = [];
  environment.reset(observation);
  // Requests 0 and 1 go to replica 0; 0 is in its batch and 1 waits when it fails, so both are
  // routed again, to replica 1.
  for (const action of [0, 0, 1, 1, 1, 0]) {
    environment.actionMask(mask);
    masks.push([...mask].join(""));
    environment.step(action, observation);
    credits.push(...environment.takeCredits());
  }
  assert.deepEqual(masks, ["11", "11", "01", "01", "01", "11"]);
  const decisions = credits.map(({ request, decisionIndex }) => `${request} by ${decisionIndex}`);
  assert.deepEqual(decisions.sort(), ["0 by 0", "0 by 2", "1 by 1", "1 by 3", "2 by 4", "3 by 5"]);
});

Deno.test("SchedulingEnvironment ends an episode whose last requests nobody can serve", () => {
  const environment = environmentOf({
    ...failing,
    reward: { mode: "request" },
    // The empty replica first: the other's requests then have nowhere to go.
    createIncidents: () => [1, 0].map((r) => ({ kind: "fail", atSeconds: 1.5, replica: r })),
  });
  const { steps, credits } = play(environment, () => 0);
  assert.equal(steps.length, 2);
  assert.equal(steps.at(-1)!.terminated, true);
  assert.deepEqual(credits.map(({ decisionIndex }) => decisionIndex), [0, 1]);
  assert.equal(environment.totals.completedCount, 0);
});

Deno.test("SchedulingEnvironment charges nobody for what came before the first decision", () => {
  const environment = environmentOf({
    ...failing,
    reward: { mode: "sojourn" },
    createIncidents: () => [
      ...[1, 0].map((r) => ({ kind: "fail", atSeconds: 0, replica: r } as const)),
      { kind: "recover", atSeconds: 10, replica: 1 },
    ],
  });
  const { steps } = play(environment, () => 1);
  // All four wait for the replica and are routed at once; the last one is left to cut the episode.
  assert.deepEqual(steps.map(({ elapsedSeconds, reward }) => [elapsedSeconds, reward]), [
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

Deno.test("SchedulingEnvironment refuses an episode that no replica ever serves", () => {
  const environment = environmentOf({
    ...failing,
    createIncidents: () => [0, 1].map((r) => ({ kind: "fail", atSeconds: 0, replica: r })),
  });
  assert.throws(() => environment.reset(new Float32Array(environment.observationSize)), {
    name: "RangeError",
    message: /^Cannot begin an episode: a replica must be available at or after its first arrival/,
  });
});

Deno.test("SchedulingEnvironment charges requests that wait for a replica to come back", () => {
  const environment = environmentOf({
    ...failing,
    reward: { mode: "sojourn" },
    episodeEnd: "drain",
    createIncidents: () => [
      ...[1, 0].map((r) => ({ kind: "fail", atSeconds: 0.5, replica: r } as const)),
      { kind: "recover", atSeconds: 10, replica: 1 },
    ],
  });
  const { steps } = play(environment, (i) => i === 0 ? 0 : 1);
  // Request 0 lives for ten seconds until it can be routed again; so do those that come meanwhile.
  assert.equal(steps[0]!.elapsedSeconds, 10);
  assert.equal(steps[0]!.reward, -(10 + 9 + 8 + 7));
});
