import * as fc from "fast-check";
import assert from "node:assert/strict";
import { EventHeap } from "../../lib/simulator/mod.ts";

Deno.test("EventHeap behaves as a list sorted by time, then by insertion", () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), slot: fc.nat(30), time: fc.nat(5) }),
    fc.record({ kind: fc.constant("pop" as const) }),
    fc.record({ kind: fc.constant("remove" as const), slot: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const heap = new EventHeap(31);
      let model: { slot: number; time: number }[] = [];
      for (const step of operations) {
        if (step.kind === "push" && !model.some((entry) => entry.slot === step.slot)) {
          heap.push(step.slot, step.time);
          const at = model.findLastIndex((entry) => entry.time <= step.time);
          model.splice(at + 1, 0, { slot: step.slot, time: step.time });
        } else if (step.kind === "pop" && model.length > 0) {
          assert.equal(heap.pop(), model.shift()!.slot);
        } else if (step.kind === "remove") {
          heap.remove(step.slot);
          model = model.filter((entry) => entry.slot !== step.slot);
        }
        assert.equal(heap.size, model.length);
        assert.equal(heap.peekSeconds(), model[0]?.time ?? Infinity);
        assert.equal(heap.isTied(), model.length > 1 && model[0]!.time === model[1]!.time);
      }
    }),
    { numRuns: 500, seed: 1 },
  );
});

Deno.test("EventHeap.push() fills the hole that pop() left without losing an entry", () => {
  const heap = new EventHeap(4);
  for (const slot of [0, 1, 2, 3]) heap.push(slot, slot);
  assert.equal(heap.pop(), 0);
  heap.push(0, 2.5);
  assert.deepEqual([heap.pop(), heap.pop(), heap.pop(), heap.pop()], [1, 2, 0, 3]);
  assert.equal(heap.size, 0);
});
