import fc from "fast-check";
import assert from "node:assert/strict";
import { sharedStatisticSlots, StateBuilder, stateSchema } from "../../lib/state/mod.ts";
import { fakeDecision, type FakeReplica } from "./_fake_cluster.ts";

const LAYOUTS = ["vidurrl", "signalbox"] as const;
const ARRIVALS = Float64Array.from({ length: 100 }, (_, i) => i / 10);

function builderOf(layout: string, replicaCount = 2): StateBuilder {
  const builder = new StateBuilder(stateSchema.parse({ layout }), replicaCount);
  builder.reset({ arrivalSeconds: ARRIVALS });
  return builder;
}

/** One decision after another on a cluster of two replicas, with completions in between. */
const scenarios = fc.array(
  fc.record({
    gapSeconds: fc.double({ min: 0, max: 3, noNaN: true }),
    waiting: fc.tuple(fc.nat(4), fc.nat(4)),
    kvBlocksUsed: fc.tuple(fc.nat(100), fc.nat(100)),
    completes: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

type Scenario = typeof scenarios extends fc.Arbitrary<infer T> ? T : never;

/** Drives a builder through a scenario, from decision `start` on; returns every observation. */
function drive(
  builder: StateBuilder,
  scenario: Scenario,
  start = 0,
  startSeconds = 10,
): number[][] {
  let now = startSeconds;
  return scenario.map(({ gapSeconds, waiting, kvBlocksUsed, completes }, i) => {
    now += gapSeconds;
    if (completes) {
      builder.onFirstToken(start + i, i % 2, now);
      builder.onCompleted(start + i, i % 2, now);
    }
    const replicas = waiting.map((count, r): FakeReplica => ({
      waiting: Array.from({ length: count }, (_, k) => ({ index: k, promptTokens: 10 + k })),
      kvBlocksUsed: kvBlocksUsed[r]!,
    }));
    const decision = fakeDecision(start + i, now, replicas, { promptTokens: 50 });
    builder.observe(decision);
    const observation = [...builder.build(decision, new Float32Array(builder.size))];
    builder.onRouted(start + i, i % 2, now);
    return observation;
  });
}

for (const layout of LAYOUTS) {
  Deno.test(`StateBuilder has one distinct name for each number in layout ${layout}`, () => {
    const builder = builderOf(layout, 3);
    const { replicaCount, perReplicaSize, globalSize, size } = builder.layout;
    assert.equal(replicaCount * perReplicaSize + globalSize, size);
    assert.equal(builder.featureNames.length, builder.size);
    assert.equal(new Set(builder.featureNames).size, builder.size);
    const second = builder.featureNames.slice(perReplicaSize, 2 * perReplicaSize);
    assert.ok(second.every((name) => name.startsWith("replica_1_")));
  });

  Deno.test(`StateBuilder.build() overwrites every entry and is pure in layout ${layout}`, () => {
    const [builder, rarely] = [builderOf(layout), builderOf(layout)];
    const replicas: FakeReplica[] = [{ waiting: [{}] }, { running: 2, kvBlocksUsed: 4 }];
    for (const [i, seconds] of [10, 11, 12.5].entries()) {
      const decision = fakeDecision(i, seconds, replicas);
      builder.observe(decision);
      const first = builder.build(decision, new Float32Array(builder.size).fill(NaN));
      const second = builder.build(decision, new Float32Array(builder.size).fill(-7));
      assert.deepEqual(second, first);
      assert.ok(first.every(Number.isFinite));
      rarely.observe(decision);
      if (i === 2) assert.deepEqual(rarely.build(decision, new Float32Array(builder.size)), first);
    }
  });

  Deno.test(`StateBuilder.reset() forgets the episode before in layout ${layout}`, () => {
    fc.assert(fc.property(scenarios, scenarios, (earlier, later) => {
      const used = builderOf(layout);
      drive(used, earlier);
      used.reset({ arrivalSeconds: ARRIVALS });
      assert.deepEqual(drive(used, later), drive(builderOf(layout), later));
    }));
  });
}

Deno.test("StateBuilder.observe() refuses a decision it has seen, build() one it has not", () => {
  const builder = builderOf("vidurrl");
  const decision = fakeDecision(0, 1, [{}, {}]);
  const out = new Float32Array(builder.size);
  assert.throws(() => builder.build(decision, out), {
    name: "UsageError",
    message: "Cannot build an observation: request 0 must be observed first",
  });
  builder.observe(decision);
  assert.throws(() => builder.observe(decision), {
    name: "UsageError",
    message: "Cannot observe a decision: request 0 was already observed",
  });
  assert.throws(() => builder.build(decision, out.subarray(1)), {
    name: "RangeError",
    message: `Cannot build an observation: out must have length ${builder.size}, current value ` +
      `is ${builder.size - 1}`,
  });
});

Deno.test("StateBuilder refuses to observe before reset() and a cluster of another size", () => {
  const builder = new StateBuilder(stateSchema.parse({}), 2);
  assert.throws(() => builder.observe(fakeDecision(0, 1, [{}, {}])), {
    name: "UsageError",
    message: /reset\(\) must begin an episode first/,
  });
  builder.reset({ arrivalSeconds: [] });
  assert.throws(() => builder.observe(fakeDecision(0, 1, [{}])), {
    name: "UsageError",
    message: "Cannot observe a decision: the cluster must have 2 replicas, current value is 1",
  });
  assert.throws(() => new StateBuilder(stateSchema.parse({}), 0), {
    name: "RangeError",
    message: /replicaCount must be an integer >= 1, current value is 0/,
  });
});

Deno.test("StateBuilder.schemaHash changes with every setting that changes meanings, and no other", () => {
  const hashOf = (config: Record<string, unknown>, replicaCount = 2): string =>
    new StateBuilder(stateSchema.parse(config), replicaCount).schemaHash;
  const base = hashOf({});
  assert.equal(hashOf({}, 5), base);
  assert.equal(hashOf({ predictionNoise: 1, replicaEmaSeconds: 1 }), base);
  const changed = [
    { layout: "signalbox" },
    { layout: "signalbox", replicaEmaSeconds: 1 },
    { enhancedFeatures: false },
    { maxQueueRequests: 5 },
    { historyWindow: 6 },
    { qpsWindow: 11 },
    { decodeLengths: "true" },
    { decodeLengths: "predicted" },
    { decodeLengths: "predicted", predictionNoise: 1 },
    { metrics: { scope: "lifetime" } },
    { metrics: { windowSeconds: 9 } },
  ].map((config) => hashOf(config));
  assert.equal(new Set([base, ...changed]).size, changed.length + 1);
});

Deno.test("stateSchema refuses unknown keys and values out of range", () => {
  assert.equal(stateSchema.safeParse({ window: 5 }).success, false);
  assert.equal(stateSchema.safeParse({ historyWindow: 0 }).success, false);
  assert.equal(stateSchema.safeParse({ metrics: { windowSeconds: 0 } }).success, false);
  assert.equal(stateSchema.safeParse({ decodeLengths: "oracle" }).success, false);
});

Deno.test("sharedStatisticSlots() gives a feature of all replicas one statistic", () => {
  const { layout, featureNames } = builderOf("signalbox", 3);
  const slots = sharedStatisticSlots(layout);
  const nameOf = new Map<number, string>();
  featureNames.forEach((name, i) => {
    const feature = i < 3 * layout.perReplicaSize ? `any ${name.slice(10)}` : name;
    assert.equal(nameOf.get(slots[i]!) ?? feature, feature);
    nameOf.set(slots[i]!, feature);
  });
  assert.equal(nameOf.size, layout.perReplicaSize + layout.globalSize);
});
