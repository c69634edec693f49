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
