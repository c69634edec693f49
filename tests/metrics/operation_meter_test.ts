import assert from "node:assert/strict";
import {
  OperationMeter,
  operationsSchema,
  tableFromRows,
  UtilizationMeter,
} from "../../lib/metrics/mod.ts";
import { buildCluster, clusterSchema, Simulator } from "../../lib/simulator/mod.ts";
import { assertAllClose } from "../_helpers.ts";

const workload = {
  name: "three requests",
  count: 3,
  arrivalSeconds: Float64Array.of(0, 0.1, 0.2),
  promptTokens: Int32Array.of(700, 50, 2000),
  outputTokens: Int32Array.of(20, 60, 5),
};

Deno.test("OperationMeter's parts sum to the time that the stages computed, slowed down or not", () => {
  const replicas = buildCluster(clusterSchema.parse({
    replicas: [{ gpu: "a100", tensorParallel: 2, pipelineStages: 2 }, { gpu: "h100" }],
  }));
  const operations = new OperationMeter(replicas);
  const use = new UtilizationMeter(replicas);
  const { endSeconds } = new Simulator(workload, replicas, {
    observers: [operations, use],
    incidents: [{ kind: "slowdown", replica: 0, atSeconds: 0.05, factor: 3 }],
  }).run(({ request }) => request.index % 2);
  const busySeconds = use.summarize(endSeconds).map(({ busyFraction }) =>
    endSeconds * busyFraction.reduce((a, b) => a + b, 0)
  );
  const rows = operations.summarize();
  const summed = replicas.map((_, replica) =>
    rows.reduce((sum, row) => sum + (row.replica === replica ? row.seconds : 0), 0)
  );
  // Sums of some hundred rounded terms.
  assertAllClose(summed, busySeconds, { rtol: 1e-12, atol: 0 });
  const places = (operation: string): string[] =>
    rows.filter((row) => row.operation === operation).map((row) =>
      `${row.replica} ${row.gpu} ${row.stage}`
    );
  assert.deepEqual(places("attn_pre_proj"), ["0 a100 0", "0 a100 1", "1 h100 0"]);
  assert.deepEqual(places("attn_post_proj_all_reduce"), ["0 a100 0", "0 a100 1"]);
  assert.deepEqual(places("pipeline_send_recv"), ["0 a100 0"]);
  assert.deepEqual(places("lm_head"), ["0 a100 1", "1 h100 0"]);
});

Deno.test("OperationMeter counts the batches in which an operation took time", () => {
  const replicas = buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100" }] }));
  const meter = new OperationMeter(replicas);
  assert.deepEqual(meter.summarize(), []);
  // Chunks of 512 and 188 tokens, then one decode.
  const single = {
    name: "one request",
    count: 1,
    arrivalSeconds: Float64Array.of(0),
    promptTokens: Int32Array.of(700),
    outputTokens: Int32Array.of(2),
  };
  new Simulator(single, replicas, { observers: [meter] }).run(() => 0);
  const rows = new Map(meter.summarize().map((row) => [row.operation, row.batches]));
  assert.equal(rows.get("attn_prefill+attn_kv_cache_save"), 2);
  assert.equal(rows.get("attn_decode+attn_kv_cache_save"), 1);
  assert.equal(rows.get("mlp_up_proj"), 3);
  const table = tableFromRows(operationsSchema, meter.summarize());
  assert.deepEqual(table.schema.fields.map(({ name }) => name), [
    "replica",
    "gpu",
    "stage",
    "operation",
    "kind",
    "batches",
    "seconds",
  ]);
});

Deno.test("OperationMeter refuses a timer that does not tell operations apart", () => {
  const [known] = buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100" }] }));
  const unknown = { ...known!, timer: { modelSeconds: () => 1, overheadSeconds: () => 0 } };
  assert.throws(() => new OperationMeter([known!, unknown]), {
    name: "TypeError",
    message: "Cannot measure operations: the timer of replica 1 (a100) must have operationParts",
  });
});
