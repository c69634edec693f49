import assert from "node:assert/strict";
import { getGpu } from "../../lib/hardware/mod.ts";
import { buildCluster, type ClusterConfig, clusterSchema } from "../../lib/simulator/mod.ts";
import { ConfigError, parseConfig } from "../../lib/support/mod.ts";

function build(input: unknown): ReturnType<typeof buildCluster> {
  return buildCluster(parseConfig<ClusterConfig>(clusterSchema, input, "cluster"));
}

Deno.test("buildCluster() builds 4 x A100 with Llama-2-7b by default", () => {
  const replicas = build({});
  assert.deepEqual(replicas.map((replica) => replica.gpu), ["a100", "a100", "a100", "a100"]);
  assert.equal(replicas[0]!.model, "meta-llama/Llama-2-7b-hf");
  assert.equal(replicas[0]!.kvBlocks, 7609);
  assert.equal(replicas[0]!.scheduler.kind, "sarathi");
  assert.equal(replicas[0]!.scheduler.chunkTokens, 512);
});

Deno.test("buildCluster() keeps the order of groups and their own settings", () => {
  const replicas = build({
    replicas: [
      { gpu: "h100", tensorParallel: 2 },
      { gpu: "a40", count: 2, pipelineStages: 2, kvBlocks: 123 },
    ],
  });
  assert.deepEqual(
    replicas.map(({ gpu, tensorParallel, stageCount }) => [gpu, tensorParallel, stageCount]),
    [["h100", 2, 1], ["a40", 1, 2], ["a40", 1, 2]],
  );
  assert.equal(replicas[1]!.kvBlocks, 123);
});

Deno.test("buildCluster() plans memory as Vidur does when asked to", () => {
  const [replica] = build({ compat: "vidur", replicas: [{ gpu: "a100" }] });
  assert.equal(replica!.kvBlocks, 7424);
  assert.equal(replica!.maxBatchSize, 29);
});

Deno.test("buildCluster() refuses what cannot be built, naming field and value", () => {
  const refused: [unknown, RegExp][] = [
    [
      { replicas: [{ gpu: "b300" }] },
      /cluster\.replicas\[0\]\.gpu must be one of .*a100.*current value is "b300"/,
    ],
    [{ model: "gpt-5" }, /cluster\.model must be one of .*Llama-2-7b-hf/],
    [
      { replicas: [{}, { tensorParallel: 3 }] },
      /cluster\.replicas\[1\]\.tensorParallel must be .*divisor.*value is 3/,
    ],
    [{ replicas: [{ pipelineStages: 5 }] }, /pipelineStages must be .*divisor.*value is 5/],
    [
      { model: "meta-llama/Llama-2-70b-hf" },
      /cluster\.replicas\[0\]\.gpu must be a GPU with room for meta-llama\/Llama-2-70b-hf/,
    ],
    [
      { replicas: [{ pipelineStages: 8 }], scheduler: { batchSizeCap: 4 } },
      /cluster\.replicas\[0\]\.pipelineStages must be <= cluster\.scheduler\.batchSizeCap/,
    ],
    [
      { replicas: [{ pipelineStages: 2 }], scheduler: { kind: "lightllm", blockSize: 1 } },
      /cluster\.replicas\[0\]\.pipelineStages must be 1 with the lightllm scheduler/,
    ],
    [
      { scheduler: { kind: "lightllm" } },
      /cluster\.scheduler\.blockSize must be 1 with the lightllm scheduler, current value is 16/,
    ],
    [
      {
        gpus: [{ ...getGpu("a100"), name: "own", efficiency: "nowhere" }],
        replicas: [{ gpu: "own" }],
      },
      /cluster\.gpus\[0\]\.efficiency must be one of .*a100.*value is "nowhere"/,
    ],
    [{ replicas: [{ kvBlocks: 8000 }] }, /kvBlocks must be <= 7609, what fits in memory/],
    [{ replicas: [] }, /cluster\.replicas must be of >= 1 entries, current value is \[\]/],
    [{ replicas: [{ count: 0 }] }, /cluster\.replicas\.0\.count must be >= 1/],
    [{ nodes: 4 }, /cluster\.nodes must be left out/],
    [{ scheduler: { kind: "fcfs" } }, /cluster\.scheduler\.kind must be one of "sarathi"/],
    [{ memoryMarginFraction: 1 }, /cluster\.memoryMarginFraction must be <= 0.9/],
  ];
  for (const [input, message] of refused) {
    assert.throws(() => build(input), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});
