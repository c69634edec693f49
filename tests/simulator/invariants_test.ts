/** Laws of the simulator over random clusters, workloads and failures (spec/practice.md section 5). */
import * as fc from "fast-check";
import assert from "node:assert/strict";
import {
  type ClusterView,
  type RouteFunction,
  type SimulationObserver,
  type SimulationResult,
  Simulator,
} from "../../lib/simulator/mod.ts";
import { type Scenario, scenarioArbitrary } from "./_scenario.ts";

const RUNS = { numRuns: 300, seed: 20_231_116 };

/** Routes by the scenario's choices, among the available replicas. */
function createRoute(scenario: Scenario): RouteFunction {
  let next = 0;
  return ({ view }) => {
    const available = scenario.replicas.map((_, i) => i).filter((i) => view.isAvailable(i));
    return available[scenario.choices[next++ % scenario.choices.length]! % available.length]!;
  };
}

function simulate(
  scenario: Scenario,
  observers: SimulationObserver[] = [],
): { simulator: Simulator; result: SimulationResult } {
  const { workload, replicas, incidents } = scenario;
  const simulator = new Simulator(workload, replicas, { incidents, observers });
  return { simulator, result: simulator.run(createRoute(scenario)) };
}

/** Every number a router may see, per replica. */
function counters(view: ClusterView, replica: number): number[] {
  return [
    view.waitingCount(replica),
    view.runningCount(replica),
    view.inFlightBatchCount(replica),
    view.parkedCount(replica),
    view.kvBlocksUsed(replica),
    view.pendingPrefillTokens(replica),
    view.kvTokens(replica),
  ];
}

Deno.test("Simulator serves every request, whatever fails, and gives everything back", () => {
  fc.assert(
    fc.property(scenarioArbitrary, (scenario) => {
      const { simulator, result } = simulate(scenario);
      assert.equal(result.unfinishedCount, 0);
      assert.equal(simulator.view.completedCount, scenario.workload.count);
      scenario.replicas.forEach((_, replica) => {
        assert.deepEqual(counters(simulator.view, replica), [0, 0, 0, 0, 0, 0, 0]);
        assert.equal(simulator.oracle.pendingOutputTokens(replica), 0);
      });
    }),
    RUNS,
  );
});

Deno.test("Simulator keeps arrival <= scheduled <= first token <= completion", () => {
  fc.assert(
    fc.property(scenarioArbitrary, (scenario) => {
      const { workload } = scenario;
      const { outcomes, endSeconds } = simulate(scenario).result;
      for (let i = 0; i < workload.count; i++) {
        assert.ok(workload.arrivalSeconds[i]! <= outcomes.scheduledSeconds[i]!);
        assert.ok(outcomes.scheduledSeconds[i]! < outcomes.firstTokenSeconds[i]!);
        assert.ok(outcomes.firstTokenSeconds[i]! <= outcomes.completedSeconds[i]!);
        assert.ok(outcomes.completedSeconds[i]! <= endSeconds);
        assert.ok(outcomes.preemptedSeconds[i]! >= 0);
        assert.ok(outcomes.modelExecutionSeconds[i]! < outcomes.executionSeconds[i]!);
      }
    }),
    RUNS,
  );
});

Deno.test("Simulator conserves requests and KV blocks at every decision and batch", () => {
  fc.assert(
    fc.property(scenarioArbitrary, (scenario) => {
      const { workload, replicas, incidents } = scenario;
      const withUs = new Set<number>();
      const batched = new Map<number, number>();
      const simulator: Simulator = new Simulator(workload, replicas, {
        incidents,
        observers: [{
          onRouted(request) {
            assert.ok(!withUs.has(request), "routed twice");
            withUs.add(request);
          },
          onRequeued(request) {
            assert.ok(withUs.delete(request), "re-queued without having been routed");
          },
          onCompleted(request) {
            assert.ok(withUs.delete(request), "completed twice or elsewhere");
          },
          onBatchStageEnd(record) {
            const { kvBlocks, scheduler, stageCount } = replicas[record.replica]!;
            assert.ok(record.kvBlocksUsed >= 0 && record.kvBlocksUsed <= kvBlocks);
            assert.ok(record.requestCount >= 1 && record.requestCount <= scheduler.batchSizeCap);
            const rows = Array.from(record.requests).slice(0, record.requestCount);
            assert.equal(new Set(rows).size, rows.length, "a request twice in a batch");
            assert.equal(batched.get(record.batchIndex) ?? 0, record.stage, "stage out of order");
            batched.set(record.batchIndex, record.stage + 1);
            assert.ok(record.stage < stageCount);
          },
        }],
      });
      const route = createRoute(scenario);
      for (let next = simulator.advance(); next !== undefined; next = simulator.advance()) {
        const { view } = next;
        assert.ok(!withUs.has(next.request.index));
        let held = 0;
        replicas.forEach((spec, replica) => {
          for (const count of counters(view, replica)) assert.ok(count >= 0);
          assert.ok(view.kvBlocksUsed(replica) <= spec.kvBlocks);
          assert.ok(view.runningCount(replica) >= view.parkedCount(replica));
          assert.ok(view.outstandingCount(replica) >= 0);
          // Groups of faster_transformer hold blocks of requests that are complete.
          held += spec.scheduler.kind === "faster_transformer"
            ? [...withUs].filter((i) => simulator.result().outcomes.replica[i] === replica).length
            : view.outstandingCount(replica);
        });
        assert.equal(held, withUs.size);
        simulator.assign(route(next));
      }
      assert.equal(withUs.size, 0);
    }),
    RUNS,
  );
});

Deno.test("Simulator never turns the clock back and never idles a replica that has work", () => {
  fc.assert(
    fc.property(scenarioArbitrary, (scenario) => {
      let now = 0;
      const { workload, replicas, incidents } = scenario;
      const tick = (seconds: number): void => {
        assert.ok(seconds >= now);
        now = seconds;
      };
      const simulator = new Simulator(workload, replicas, {
        incidents,
        observers: [{
          onBatchStageEnd: (record) => {
            tick(record.endSeconds);
            assert.ok(record.formedSeconds <= record.startSeconds);
            assert.ok(record.startSeconds < record.endSeconds);
          },
          onCompleted: (_request, _replica, seconds) => tick(seconds),
        }],
      });
      const route = createRoute(scenario);
      let previous = -1;
      for (let next = simulator.advance(); next !== undefined; next = simulator.advance()) {
        tick(next.nowSeconds);
        // Replicas that were given work at this very instant start when all of it is routed.
        if (next.nowSeconds > previous) {
          replicas.forEach((_, replica) => {
            const idle = next!.view.inFlightBatchCount(replica) === 0;
            if (idle) assert.equal(next!.view.outstandingCount(replica), 0);
          });
        }
        previous = next.nowSeconds;
        simulator.assign(route(next));
      }
    }),
    RUNS,
  );
});

Deno.test("Simulator gives identical bytes for identical input, stepped or run", () => {
  fc.assert(
    fc.property(scenarioArbitrary, (scenario) => {
      const decisions: number[] = [];
      const { result } = simulate(scenario, [{
        onRouted: (_request, replica) => decisions.push(replica),
      }]);
      const { workload, replicas, incidents } = scenario;
      const replay = new Simulator(workload, replicas, { incidents });
      for (const replica of decisions) {
        assert.ok(replay.advance() !== undefined);
        replay.assign(replica);
      }
      assert.equal(replay.advance(), undefined);
      assert.deepEqual(replay.result(), result);
    }),
    RUNS,
  );
});

Deno.test("Simulator shows a router nothing that depends on the output of what it routes", () => {
  fc.assert(
    fc.property(scenarioArbitrary, fc.integer({ min: 1, max: 30 }), (scenario, output) => {
      const { workload, replicas } = scenario;
      const last = workload.count - 1;
      const outputTokens = workload.outputTokens.slice();
      outputTokens[last] = Math.min(output, outputTokens[last]!);
      const seen = [workload, { ...workload, outputTokens }].map((variant) => {
        const simulator = new Simulator(variant, replicas);
        const route = createRoute(scenario);
        const views: unknown[] = [];
        for (let next = simulator.advance(); next !== undefined; next = simulator.advance()) {
          const { view } = next;
          views.push(next.request, replicas.map((_, replica) => counters(view, replica)));
          simulator.assign(route(next));
        }
        return views;
      });
      assert.deepEqual(seen[0], seen[1]);
    }),
    RUNS,
  );
});

Deno.test("Simulator never caches more tokens on a replica than its KV blocks hold", () => {
  fc.assert(
    fc.property(scenarioArbitrary, (scenario) => {
      const { workload, replicas, incidents } = scenario;
      const simulator = new Simulator(workload, replicas, { incidents });
      const route = createRoute(scenario);
      for (let next = simulator.advance(); next !== undefined; next = simulator.advance()) {
        const { view } = next;
        replicas.forEach(({ scheduler }, replica) => {
          let waitingTokens = 0;
          for (let k = 0; k < view.waitingCount(replica); k++) {
            waitingTokens += view.waitingRequest(replica, k)!.promptTokens;
          }
          // The token that a request has sampled last is cached in its next iteration.
          const room = view.kvBlocksUsed(replica) * scheduler.blockSize +
            view.runningCount(replica);
          assert.ok(view.kvTokens(replica) - waitingTokens <= room);
        });
        simulator.assign(route(next));
      }
    }),
    RUNS,
  );
});
