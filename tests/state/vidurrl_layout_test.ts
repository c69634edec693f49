import assert from "node:assert/strict";
import { StateBuilder, stateSchema } from "../../lib/state/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { fakeDecision, type FakeReplica } from "./_fake_cluster.ts";

/** Single precision keeps 24 bits: values up to 1 are off by less than 6e-8. */
const FLOAT32 = { rtol: 6e-8, atol: 6e-8 };

/** Observes the decisions in order and returns the last observation by feature name. */
function observeAll(
  builder: StateBuilder,
  scenario: readonly (readonly [seconds: number, replicas: readonly FakeReplica[]])[],
): Map<string, number> {
  const out = new Float32Array(builder.size);
  scenario.forEach(([seconds, replicas], i) => {
    const decision = fakeDecision(i, seconds, replicas);
    builder.observe(decision);
    builder.build(decision, out);
  });
  return new Map(builder.featureNames.map((name, i) => [name, out[i]!]));
}

function builderOf(replicaCount: number, config: Record<string, unknown> = {}): StateBuilder {
  const builder = new StateBuilder(stateSchema.parse(config), replicaCount);
  builder.reset({ arrivalSeconds: new Float64Array(100) });
  return builder;
}

/** The named features with the prefix taken off. */
function values(features: Map<string, number>, prefix: string, names: string): number[] {
  return names.split(" ").map((name) => features.get(prefix + name)!);
}

Deno.test("StateBuilder has the document's dimension for every count of replicas and requests", () => {
  // spec/scheduler.md section 5: N (11 + 8 enh + 7 K) + 3 + 7 enh.
  const sizeOf = (n: number, config: Record<string, unknown>): number => builderOf(n, config).size;
  assert.equal(sizeOf(4, {}), 198);
  assert.equal(sizeOf(4, { maxQueueRequests: 8 }), 310);
  assert.equal(sizeOf(4, { enhancedFeatures: false }), 4 * (11 + 28) + 3);
  assert.equal(sizeOf(1, { enhancedFeatures: false, maxQueueRequests: 0 }), 14);
});

Deno.test("StateBuilder tells how long requests have waited, on demand, after the base features", () => {
  const builder = builderOf(3, {
    enhancedFeatures: false,
    maxQueueRequests: 0,
    queueDelayFeatures: true,
    queueDelayMaxWaitSeconds: 20,
  });
  assert.equal(builder.size, 3 * 14 + 3);
  assert.deepEqual(builder.featureNames.slice(10, 14), [
    "replica_0_num_stages",
    "replica_0_oldest_wait",
    "replica_0_average_wait",
    "replica_0_wait_urgency",
  ]);
  const features = observeAll(builder, [[100, [
    {},
    // Waits of 8, 2 and 20 s, of which no more than 10 make a request more urgent.
    {
      waiting: [
        { arrivalSeconds: 92, priority: 2 },
        { arrivalSeconds: 98, priority: 5 },
        { arrivalSeconds: 80, priority: 1 },
      ],
    },
    { waiting: [{ arrivalSeconds: 99.95, priority: 100 }, { arrivalSeconds: 50 }] },
  ]]]);
  const waits = "oldest_wait average_wait wait_urgency";
  assert.deepEqual(values(features, "replica_0_", waits), [0, 0, 0]);
  const urgency = (2 * (1 + 1.6) + 5 * (1 + 0.4) + 1 * (1 + 2)) / 3 / 10;
  assertAllClose(
    values(features, "replica_1_", waits),
    [Math.log(9) / Math.log(21), Math.sqrt(10 / 20), urgency],
    FLOAT32,
  );
  // A short wait of 0.05 s is scaled linearly; the mean of 25.025 s and the urgency are cut off at 1.
  assertAllClose(values(features, "replica_2_", waits), [0.5, 1, 1], { atol: 1e-6 });
});

Deno.test("StateBuilder's schema tells apart what queue-delay features mean, and leaves others alone", () => {
  const hashOf = (config: Record<string, unknown>): string => builderOf(2, config).schemaHash;
  const [plain, delays] = [hashOf({}), hashOf({ queueDelayFeatures: true })];
  assert.notEqual(delays, plain);
  assert.notEqual(hashOf({ queueDelayFeatures: true, queueDelayMaxWaitSeconds: 5 }), delays);
  assert.equal(hashOf({ queueDelayMaxWaitSeconds: 5 }), plain);
});

Deno.test("StateBuilder writes the eleven base features of a replica in the document's order", () => {
  const builder = builderOf(2, { enhancedFeatures: false, maxQueueRequests: 0 });
  const busy: FakeReplica = {
    waiting: [{}, {}, {}],
    running: 5,
    inFlight: 2,
    parked: 4,
    kvBlocksUsed: 30,
    kvBlocksTotal: 120,
    blockSize: 32,
    batchSizeCap: 64,
    stages: 2,
  };
  const decision = fakeDecision(0, 1, [{ kvBlocksTotal: 0 }, busy]);
  builder.observe(decision);
  const out = builder.build(decision, new Float32Array(builder.size));
  assert.deepEqual([...out], [
    ...[0, 0, 1, 0, 1, 0, 0, 0, 128, 16, 1],
    ...[3, 30, 120, 0.25, 0.75, 2, 4, 5, 64, 32, 2],
    ...[1, 0, 0],
  ]);
  assert.deepEqual(builder.featureNames.slice(11, 22).map((name) => name.slice(10)), [
    "queue_length",
    "allocated_blocks",
    "total_blocks",
    "utilization_fraction",
    "available_fraction",
    "running_batches",
    "preempted_requests",
    "allocation_map_size",
    "batch_capacity",
    "block_size",
    "num_stages",
  ]);
});

Deno.test("StateBuilder computes the eight history features over the last decisions", () => {
  const builder = builderOf(1, { maxQueueRequests: 0, historyWindow: 3 });
  const replica = (queue: number, used: number): FakeReplica[] => [
    { waiting: Array.from({ length: queue }, () => ({})), kvBlocksUsed: used },
  ];
  const names = "queue_delta allocation_delta load_ema queue_trend queue_variance " +
    "historical_peak historical_low time_since_peak";

  const first = observeAll(builder, [[0, replica(2, 10)]]);
  // One sample: no change, no trend, no variance; the average is the sample itself.
  assertAllClose(values(first, "replica_0_", names), [0, 0, 0.1, 0, 0, 2, 2, 0], FLOAT32);

  builder.reset({ arrivalSeconds: [] });
  const last = observeAll(builder, [
    [0, replica(9, 90)],
    [10, replica(4, 10)],
    [16, replica(3, 20)],
    [40, replica(1, 40)],
  ]);
  // The window of three holds queues 4, 3, 1 and shares .1, .2, .4.
  // Slope: (-1 * 4 + 0 * 3 + 1 * 1) / 2; mean 8/3, variance (16/9 + 1/9 + 25/9) / 3 = 14/9.
  // Load: .4 + .3 * .7 * .2 + .3 * .49 * .1; the peak of 4 was 30 of 60 s ago.
  assertAllClose(
    values(last, "replica_0_", names),
    [-2, 0.2, 0.4567, -1.5, 14 / 9, 4, 1, 0.5],
    FLOAT32,
  );
});

Deno.test("StateBuilder dates the peak by the latest sample within a tenth of it, up to a minute", () => {
  const builder = builderOf(1, { maxQueueRequests: 0 });
  const replica = (queue: number): FakeReplica[] => [
    { waiting: Array.from({ length: queue }, () => ({})) },
  ];
  const near = observeAll(builder, [[0, replica(10)], [3, replica(9)], [9, replica(5)]]);
  assertAllClose([near.get("replica_0_time_since_peak")!], [0.1], FLOAT32);
  builder.reset({ arrivalSeconds: [] });
  const far = observeAll(builder, [[0, replica(10)], [100, replica(5)]]);
  assert.equal(far.get("replica_0_time_since_peak"), 1);
});

Deno.test("StateBuilder measures changes against the last decision even in a window of one", () => {
  const builder = builderOf(1, { maxQueueRequests: 0, historyWindow: 1 });
  const last = observeAll(builder, [[0, [{ waiting: [{}, {}] }]], [1, [{ waiting: [{}] }]]]);
  assert.equal(last.get("replica_0_queue_delta"), -1);
  assert.equal(last.get("replica_0_historical_peak"), 1);
});

Deno.test("StateBuilder describes the head of each queue and pads with zeros", () => {
  const builder = builderOf(1, { enhancedFeatures: false, maxQueueRequests: 2 });
  const head = { index: 7, arrivalSeconds: 2, promptTokens: 100, processedTokens: 30, priority: 3 };
  const features = observeAll(builder, [[5, [{ waiting: [head] }]]]);
  const names = "age num_prefill_tokens num_processed_tokens remaining_prefill completed " +
    "num_decode_tokens priority";
  assert.deepEqual(values(features, "replica_0_request_0_", names), [3, 100, 30, 70, 0, 0, 3]);
  assert.deepEqual(values(features, "replica_0_request_1_", names), [0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("StateBuilder reports system metrics and seven global history features", () => {
  const builder = builderOf(2, { maxQueueRequests: 0, metrics: { scope: "lifetime" } });
  const queues = (a: number, b: number): FakeReplica[] =>
    [a, b].map((length) => ({ waiting: Array.from({ length }, () => ({})) }));
  const out = new Float32Array(builder.size);
  const decide = (index: number, seconds: number, replicas: FakeReplica[]): void => {
    const decision = fakeDecision(index, seconds, replicas);
    builder.observe(decision);
    builder.build(decision, out);
  };
  decide(0, 1, queues(0, 0));
  builder.onCompleted(0, 0, 2);
  decide(1, 2, queues(0, 0));
  decide(2, 2.5, queues(3, 1));
  const features = new Map(builder.featureNames.map((name, i) => [name, out[i]!]));
  // Throughputs at the decisions: 0, 1/2, 1/2.5. Latency of request 0 (arrival 0): 2 s.
  assertAllClose(
    values(features, "", "global_queue_length system_throughput average_latency"),
    [1, 0.4, 2],
    FLOAT32,
  );
  // Decisions in the last second: at 2 and 2.5. Pseudo-average: 2 + .2 * .8 * .5 + .2 * .64 * 0.
  // Trend of 0, .5, .4: (.4 - 0) / 2. Variance: mean .3, (.09 + .04 + .01) / 3.
  // Queues 3 and 1: cv = 1 / 2. Completion: .4 / 2.
  assertAllClose(
    values(
      features,
      "",
      "qps_current qps_ema qps_trend qps_variance system_load_balance global_queue_delta " +
        "completion_rate",
    ),
    [2, 2.08, 0.2, 0.14 / 3, 1 / 1.5, 0, 0.2],
    FLOAT32,
  );
});

Deno.test("StateBuilder has neutral global history features at the first decision", () => {
  const builder = builderOf(1, { maxQueueRequests: 0 });
  const features = observeAll(builder, [[3, [{ waiting: [{}] }]]]);
  assert.deepEqual(
    values(
      features,
      "",
      "qps_current qps_ema qps_trend qps_variance system_load_balance global_queue_delta " +
        "completion_rate",
    ),
    [0, 0, 0, 0, 1, 0, 1],
  );
});
