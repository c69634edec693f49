import assert from "node:assert/strict";
import { ChromeTrace, Simulator } from "../../lib/simulator/mod.ts";
import { makeReplica, makeWorkload } from "./_fixtures.ts";

Deno.test("ChromeTrace writes one complete event a stage execution, in microseconds", () => {
  const replicas = [makeReplica(), makeReplica({}, { stageCount: 2, gpu: "a40", model: "m" })];
  const pieces: string[] = [];
  const trace = new ChromeTrace(replicas, (piece) => pieces.push(piece));
  const workload = makeWorkload([[0.5, 10, 1], [0.5, 20, 2]]);
  let next = 0;
  new Simulator(workload, replicas, {
    observers: [trace],
    incidents: [{ kind: "fail", atSeconds: 1, replica: 0 }],
  }).run(({ view }) => view.isAvailable(0) ? next++ % 2 : 1);
  trace.end();
  const { traceEvents } = JSON.parse(pieces.join(""));
  const names = traceEvents.filter((event: { ph: string }) => event.ph === "M");
  assert.deepEqual(
    names.map((event: { args: { name: string } }) => event.args.name),
    ["replica 0: test on test", "stage 0", "replica 1: m on a40", "stage 0", "stage 1"],
  );
  const lost = traceEvents.filter((event: { ph: string }) => event.ph === "i");
  assert.deepEqual(lost, [{ name: "request 0 lost", ph: "i", s: "p", ts: 1e6, pid: 0, tid: 0 }]);
  const stages = traceEvents.filter((event: { ph: string }) => event.ph === "X");
  assert.deepEqual(
    stages.map((event: { pid: number; tid: number; ts: number; dur: number }) => [
      event.pid,
      event.tid,
      event.ts,
      event.dur,
    ]),
    // The first request's prompt on replica 0 is lost at 1 s and computed on replica 1 instead.
    [
      [1, 0, 0.5e6, 1e6],
      [1, 0, 1.5e6, 1e6],
      [1, 1, 1.5e6, 1e6],
      [1, 1, 2.5e6, 1e6],
      [1, 0, 2.5e6, 1e6],
      [1, 1, 3.5e6, 1e6],
    ],
  );
  assert.deepEqual(stages[0].args, { batch: 1, kvBlocksUsed: 2, requests: [1], tokens: [20] });
});
