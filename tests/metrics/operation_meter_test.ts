import assert from "node:assert/strict";
import { OperationMeter, UtilizationMeter } from "../../lib/metrics/mod.ts";
import { buildCluster, clusterSchema, Simulator } from "../../lib/simulator/mod.ts";
import { operationKinds } from "../../lib/timing/mod.ts";
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
  const summed = operations.summarize().map((seconds) =>
    operationKinds.reduce((sum, kind) => sum + seconds![kind], 0)
  );
  // Sums of some hundred rounded terms.
  assertAllClose(summed, busySeconds, { rtol: 1e-12, atol: 0 });
  const [pipeline, single] = operations.summarize();
  assert.ok(pipeline!.communication > 0);
  assert.equal(single!.communication, 0);
});

Deno.test("OperationMeter refuses a timer that does not tell operations apart", () => {
  const [known] = buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100" }] }));
  const unknown = { ...known!, timer: { modelSeconds: () => 1, overheadSeconds: () => 0 } };
  assert.throws(() => new OperationMeter([known!, unknown]), {
    name: "TypeError",
    message: "Cannot measure operations: the timer of replica 1 (a100) must have operationSeconds",
  });
});
