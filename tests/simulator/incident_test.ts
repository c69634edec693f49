import assert from "node:assert/strict";
import { type ReplicaIncident, Simulator } from "../../lib/simulator/mod.ts";
import { makeReplica, makeWorkload } from "./_fixtures.ts";

const workload = makeWorkload([[0, 10, 4], [0.5, 10, 1]]);

/** Index of the first replica that may be chosen. */
function firstAvailable({ view }: { view: Simulator["view"] }): number {
  let replica = 0;
  while (!view.isAvailable(replica)) replica++;
  return replica;
}

function run(incidents: ReplicaIncident[], replicaCount = 2): Simulator {
  const replicas = Array.from({ length: replicaCount }, () => makeReplica());
  const simulator = new Simulator(workload, replicas, { incidents });
  simulator.run(firstAvailable);
  return simulator;
}

Deno.test("A slowdown stretches the stages that start after it", () => {
  const simulator = run([{ kind: "slowdown", atSeconds: 0.9, replica: 0, factor: 3 }]);
  // [0, 1] as usual, then three seconds an iteration.
  assert.deepEqual([...simulator.result().outcomes.completedSeconds], [10, 4]);
});

Deno.test("A failed replica loses its batch; its requests recompute elsewhere, none is lost", () => {
  const requeued: number[] = [];
  const simulator = new Simulator(workload, [makeReplica(), makeReplica()], {
    incidents: [{ kind: "fail", atSeconds: 2.25, replica: 0 }],
    observers: [{ onRequeued: (request, replica) => requeued.push(request, replica) }],
  });
  const { outcomes, unfinishedCount } = simulator.run(firstAvailable);
  // Until 2 the first request has got two tokens and the second is complete. At 2.25 the first
  // moves: [2.25, 3.25] recomputes 12 tokens and yields the third, the fourth comes at 4.25.
  assert.deepEqual(requeued, [0, 0]);
  assert.equal(unfinishedCount, 0);
  assert.deepEqual([...outcomes.replica], [1, 0]);
  assert.deepEqual([...outcomes.restarts], [1, 0]);
  assert.deepEqual([...outcomes.firstTokenSeconds], [1, 2]);
  assert.deepEqual([...outcomes.completedSeconds], [4.25, 2]);
  assert.equal(simulator.view.isAvailable(0), false);
  assert.equal(simulator.view.restartCount(0), 1);
  assert.equal(simulator.view.kvBlocksUsed(0), 0);
});

Deno.test("A draining replica finishes what it has and gets nothing new", () => {
  const simulator = run([{ kind: "drain", atSeconds: 0.25, replica: 0 }]);
  const { outcomes } = simulator.result();
  assert.deepEqual([...outcomes.replica], [0, 1]);
  assert.deepEqual([...outcomes.completedSeconds], [4, 1.5]);
});

Deno.test("Requests wait unrouted while no replica is up, and go on at recovery", () => {
  const simulator = run([
    { kind: "recover", atSeconds: 7, replica: 0 },
    { kind: "fail", atSeconds: 1.5, replica: 0 },
  ], 1);
  // Lost at 1.5: the prompt's token is kept, the batch of the second iteration is not. From 7 on:
  // both prompts in [7, 8] (11 and 10 tokens), two more tokens of the first until 10.
  const { outcomes } = simulator.result();
  assert.deepEqual([...outcomes.firstTokenSeconds], [1, 8]);
  assert.deepEqual([...outcomes.completedSeconds], [10, 8]);
});

Deno.test("Requests that no replica ever takes are reported as unfinished", () => {
  const result = run([{ kind: "fail", atSeconds: 1.5, replica: 0 }], 1).result();
  assert.equal(result.unfinishedCount, 2);
  assert.deepEqual([...result.outcomes.replica], [-1, -1]);
  assert.equal(result.endSeconds, 1.5);
});

Deno.test("Simulator refuses incidents out of range", () => {
  const refused: [ReplicaIncident, RegExp][] = [
    [{ kind: "fail", atSeconds: -1, replica: 0 }, /incidents\[0\]\.atSeconds must be finite/],
    [{ kind: "fail", atSeconds: 1, replica: 2 }, /incidents\[0\]\.replica must be .*\[0, 2\)/],
    [
      { kind: "slowdown", atSeconds: 1, replica: 0, factor: 0 },
      /incidents\[0\]\.factor must be finite and > 0, current value is 0/,
    ],
  ];
  for (const [incident, message] of refused) {
    assert.throws(() => run([incident]), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  }
});
