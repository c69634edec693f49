import assert from "node:assert/strict";
import { StateBuilder, stateSchema } from "../../lib/state/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { fakeDecision, type FakeReplica } from "./_fake_cluster.ts";

/** Single precision keeps 24 bits. */
const FLOAT32 = { rtol: 6e-8, atol: 6e-8 };

const oracle = { outputTokens: (i: number) => 100 * (i + 1), pendingOutputTokens: () => 0 };

function builderOf(replicaCount: number, config: Record<string, unknown> = {}): StateBuilder {
  const builder = new StateBuilder(
    stateSchema.parse({ layout: "signalbox", ...config }),
    replicaCount,
  );
  builder.reset({ arrivalSeconds: [0, 1, 2, 3], oracle });
  return builder;
}

function observe(
  builder: StateBuilder,
  index: number,
  seconds: number,
  replicas: readonly FakeReplica[],
  request = {},
): (name: string) => number {
  const decision = fakeDecision(index, seconds, replicas, request);
  builder.observe(decision);
  const out = builder.build(decision, new Float32Array(builder.size));
  return (name) => out[builder.featureNames.indexOf(name)]!;
}

Deno.test("StateBuilder describes waiting and running work of a replica on a log scale", () => {
  const feature = observe(builderOf(1), 0, 5, [{
    waiting: [{ arrivalSeconds: 2 }, { arrivalSeconds: 4 }],
    running: 6,
    pendingPrefillTokens: 900,
    kvBlocksUsed: 25,
    tbtEmaSeconds: 0.03,
    inFlight: 1,
    stages: 2,
  }], { promptTokens: 33, priority: 2 });
  const expected: [name: string, value: number][] = [
    ["replica_0_outstanding_requests_log1p", Math.log(9)],
    ["replica_0_waiting_requests_log1p", Math.log(3)],
    ["replica_0_running_requests_log1p", Math.log(7)],
    ["replica_0_pending_prefill_tokens_log1p", Math.log(901)],
    ["replica_0_kv_used_fraction", 0.25],
    // 33 tokens need 3 blocks of 16: 100 - 25 - 3 are left.
    ["replica_0_kv_headroom_fraction", 0.72],
    ["replica_0_oldest_wait_seconds_log1p", Math.log(4)],
    ["replica_0_tbt_milliseconds_log1p", Math.log(31)],
    ["replica_0_busy_stage_fraction", 0.5],
    ["replica_0_available", 1],
    ["request_prompt_tokens_log1p", Math.log(34)],
    ["request_priority", 2],
    ["kv_used_fraction", 0.25],
  ];
  for (const [name, value] of expected) {
    assertAllClose([feature(name)], [value], FLOAT32);
  }
});

Deno.test("StateBuilder names the outstanding count of a replica as its load", () => {
  const builder = builderOf(2);
  assert.deepEqual(
    builder.layout.loadFeatures.map((i) => builder.featureNames[i]),
    ["replica_0_outstanding_requests_log1p"],
  );
});

Deno.test("StateBuilder names the waiting count as a replica's load where that is asked for", () => {
  const names = { signalbox: "waiting_requests_log1p", vidurrl: "queue_length" };
  for (const [layout, name] of Object.entries(names)) {
    const builder = builderOf(2, { layout, loadCounts: "waiting" });
    assert.deepEqual(
      builder.layout.loadFeatures.map((i) => builder.featureNames[i]),
      [`replica_0_${name}`],
    );
    assert.notEqual(builder.schemaHash, builderOf(2, { layout }).schemaHash, "weights differ");
  }
});

Deno.test("StateBuilder marks a replica that may not be chosen", () => {
  const feature = observe(builderOf(2), 0, 0, [{ available: false }, {}]);
  assert.deepEqual([feature("replica_0_available"), feature("replica_1_available")], [0, 1]);
});

Deno.test("StateBuilder averages latency and TTFT per replica with weights that fade in time", () => {
  const builder = builderOf(2, { replicaEmaSeconds: 10 });
  builder.onFirstToken(0, 0, 1);
  builder.onCompleted(0, 0, 5);
  builder.onCompleted(1, 0, 15);
  const feature = observe(builder, 2, 40, [{}, {}]);
  // Latencies 5 s (one time constant older) and 14 s.
  const latency = (5 / Math.E + 14) / (1 / Math.E + 1);
  assertAllClose(
    [feature("replica_0_latency_seconds_log1p"), feature("replica_0_ttft_seconds_log1p")],
    [Math.log1p(latency), Math.log1p(1)],
    FLOAT32,
  );
  assert.equal(feature("replica_1_latency_seconds_log1p"), 0);
});

Deno.test("StateBuilder estimates a steady arrival rate without start-up bias", () => {
  const builder = builderOf(1);
  // One arrival; a second is taken to have passed, of which 5 s fade to 5 (1 - e^-0.2).
  let feature = observe(builder, 0, 7, [{}]);
  assertAllClose(
    [feature("arrival_rate_5s_log1p")],
    [Math.log1p(1 / (5 * (1 - Math.exp(-0.2))))],
    FLOAT32,
  );
  for (let i = 1; i < 40; i++) feature = observe(builder, i, 7 + i / 4, [{}]);
  // Four arrivals a second for ten seconds; sampling right at an arrival adds half a gap's worth.
  assertAllClose(
    ["arrival_rate_5s_log1p", "arrival_rate_60s_log1p"].map((name) => Math.expm1(feature(name))),
    [4, 4],
    { rtol: 0.06 },
  );
  assertAllClose([feature("seconds_since_decision_log1p")], [Math.log1p(0.25)], FLOAT32);
});

Deno.test("StateBuilder hides output lengths unless told to show them", () => {
  const seen = (decodeLengths: string): number[] => {
    const builder = builderOf(2, { decodeLengths });
    observe(builder, 0, 0, [{}, {}]);
    builder.onRouted(0, 1, 0);
    observe(builder, 1, 1, [{}, {}]);
    builder.onRouted(1, 1, 1);
    builder.onCompleted(0, 1, 2);
    const feature = observe(builder, 2, 2, [{}, {}]);
    return [
      feature("request_output_tokens_log1p"),
      feature("replica_0_outstanding_output_tokens_log1p"),
      feature("replica_1_outstanding_output_tokens_log1p"),
    ];
  };
  assert.deepEqual(seen("hidden"), [0, 0, 0]);
  // Request 2 is to be routed; request 1 is still at replica 1.
  assertAllClose(seen("true"), [Math.log(301), 0, Math.log(201)], FLOAT32);
  const predicted = seen("predicted");
  assert.ok(predicted[0]! > 0 && predicted[1] === 0 && predicted[2]! > 0);
  assert.notDeepEqual(predicted, seen("true"));
});

Deno.test("StateBuilder takes the output tokens of a request away from the replica it lost", () => {
  const builder = builderOf(2, { decodeLengths: "true" });
  builder.onRouted(0, 1, 0);
  builder.onRequeued(0, 1, 1);
  builder.onRouted(0, 0, 1);
  const feature = observe(builder, 2, 2, [{}, {}]);
  assertAllClose(
    [0, 1].map((r) => feature(`replica_${r}_outstanding_output_tokens_log1p`)),
    [Math.log(101), 0],
    FLOAT32,
  );
});

Deno.test("StateBuilder writes true output lengths into the value's columns, and only there", () => {
  const [plain, told] = [false, true].map((criticSeesOutputTokens) => {
    const builder = builderOf(2, { criticSeesOutputTokens });
    builder.onRouted(0, 1, 0);
    builder.onRouted(1, 1, 0);
    builder.onCompleted(0, 1, 1);
    return { builder, feature: observe(builder, 2, 2, [{}, {}]) };
  });
  const { layout, featureNames } = told!.builder;
  assert.equal(layout.criticReplicaSize, 1);
  assert.equal(layout.criticGlobalSize, 1);
  // Request 1 is at replica 1, request 2 is to be routed; the oracle says 200 and 300 tokens.
  const critic: [name: string, tokens: number][] = [
    ["replica_0_critic_outstanding_output_tokens_log1p", 0],
    ["replica_1_critic_outstanding_output_tokens_log1p", 200],
    ["critic_request_output_tokens_log1p", 300],
  ];
  for (const [name, tokens] of critic) {
    assertAllClose([told!.feature(name)], [Math.log1p(tokens)], FLOAT32);
  }
  assert.equal(featureNames.indexOf(critic[0]![0]), layout.perReplicaSize - 1);
  assert.equal(featureNames.indexOf(critic[2]![0]), layout.size - 1);
  for (const name of plain!.builder.featureNames) {
    assert.equal(told!.feature(name), plain!.feature(name), name);
  }
  assert.equal(plain!.builder.layout.criticReplicaSize, 0);
});
