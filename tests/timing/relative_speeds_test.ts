import assert from "node:assert/strict";
import { type BatchTimer, relativeSpeeds } from "../../lib/timing/mod.ts";

/** A timer whose stage `i` takes `stages[i]` seconds, and `overhead` more. */
function fixedTimer(stages: readonly number[], overhead: number): BatchTimer {
  return {
    modelSeconds: (_batch, stage) => stages[stage]!,
    overheadSeconds: () => overhead,
  };
}

Deno.test("relativeSpeeds() compares the slowest stages with overhead", () => {
  const speeds = relativeSpeeds([
    { timer: fixedTimer([3, 1], 1), stageCount: 2 },
    { timer: fixedTimer([2], 0), stageCount: 1 },
    { timer: fixedTimer([7], 1), stageCount: 1 },
  ]);
  assert.deepEqual([...speeds], [0.5, 1, 0.25]);
});

Deno.test("relativeSpeeds() refuses a replica without stages", () => {
  assert.throws(() => relativeSpeeds([{ timer: fixedTimer([1], 0), stageCount: 0 }]), {
    name: "RangeError",
    message:
      "Cannot compare speeds: replicas[0].stageCount must be an integer >= 1, current value is 0",
  });
});
