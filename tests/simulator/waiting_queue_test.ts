import * as fc from "fast-check";
import assert from "node:assert/strict";
import { RequestTable } from "../../lib/simulator/request_table.ts";
import { WaitingQueue } from "../../lib/simulator/waiting_queue.ts";
import { makeWorkload } from "./_fixtures.ts";

const workload = makeWorkload([[0, 1, 1], [0, 1, 1], [0, 1, 1], [0, 1, 1]]);

function drain(queue: WaitingQueue): number[] {
  const order: number[] = [];
  while (queue.length > 0) {
    assert.equal(queue.peek(), queue.at(0));
    order.push(queue.popFront());
  }
  return order;
}

Deno.test("WaitingQueue serves in order of arrival, preempted requests first", () => {
  const queue = new WaitingQueue(new RequestTable(workload));
  for (const request of [0, 1, 2]) queue.pushBack(request);
  queue.pushFront(3);
  assert.equal(queue.length, 4);
  assert.deepEqual([0, 1, 2, 3, 4].map((k) => queue.at(k)), [3, 0, 1, 2, -1]);
  assert.deepEqual(drain(queue), [3, 0, 1, 2]);
  assert.equal(queue.peek(), -1);
  assert.equal(queue.popFront(), -1);
});

Deno.test("WaitingQueue serves larger priorities first, each level in order of arrival", () => {
  const priority = Int32Array.of(0, 7, 0, 7);
  const queue = new WaitingQueue(new RequestTable({ ...workload, priority }));
  for (const request of [0, 1, 2, 3]) queue.pushBack(request);
  assert.equal(queue.at(2), 0);
  assert.deepEqual(drain(queue), [1, 3, 0, 2]);
});

Deno.test("WaitingQueue can be filled again after it ran empty", () => {
  const queue = new WaitingQueue(new RequestTable(workload));
  queue.pushFront(0);
  assert.deepEqual(drain(queue), [0]);
  queue.pushBack(1);
  queue.pushBack(0);
  assert.deepEqual(drain(queue), [1, 0]);
});

Deno.test("WaitingQueue holds any order of changes and looks like a sorted list", () => {
  const count = 30;
  const steps = fc.array(
    fc.record({
      change: fc.constantFrom("pushBack" as const, "pushFront" as const, "popFront" as const),
      looks: fc.array(fc.nat({ max: count }), { maxLength: 4 }),
    }),
    { maxLength: 80 },
  );
  const priorities = fc.array(fc.integer({ min: 0, max: 9 }), {
    minLength: count,
    maxLength: count,
  });
  fc.assert(fc.property(priorities, steps, (priority, changes) => {
    const queue = new WaitingQueue(
      new RequestTable({
        ...makeWorkload(Array.from({ length: count }, () => [0, 1, 1] as const)),
        priority: Int32Array.from(priority),
      }),
    );
    const expected: number[] = [];
    const outside = Array.from({ length: count }, (_, request) => request);
    for (const { change, looks } of changes) {
      if (change === "popFront") {
        const popped = queue.popFront();
        assert.equal(popped, expected.shift() ?? -1);
        if (popped >= 0) outside.push(popped);
      } else if (outside.length > 0) {
        const request = outside.shift()!;
        queue[change](request);
        const isBehind = (other: number): boolean =>
          change === "pushBack"
            ? priority[other]! < priority[request]!
            : priority[other]! <= priority[request]!;
        const at = expected.findIndex(isBehind);
        expected.splice(at < 0 ? expected.length : at, 0, request);
      }
      assert.equal(queue.length, expected.length);
      for (const k of looks) assert.equal(queue.at(k), expected[k] ?? -1);
      expected.forEach((request, k) => assert.equal(queue.at(k), request));
    }
  }));
});
