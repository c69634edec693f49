/**
 * The simulator on the recorded Vidur run `7b-tp1-pp1-sarathi`, repeated to 5,000 requests: bare,
 * and with the table of per-request metrics. Vidur itself takes about 2.5 ms a request there.
 */
import { requestRows, requestsSchema, tableFromRows } from "../lib/metrics/mod.ts";
import { createLorQueueOnly } from "../lib/routing/mod.ts";
import { Simulator } from "../lib/simulator/mod.ts";
import { hasGolden, loadGolden } from "./_golden_workload.ts";

if (hasGolden) {
  const scenario = await loadGolden();
  const { workload, replicas } = scenario(5000);
  const router = createLorQueueOnly();
  const labels = { trialId: "bench", policy: router.name, trainingSeed: null, evaluationSeed: 0 };
  const group = "7b-tp1-pp1-sarathi, 5,000 requests";

  Deno.bench({
    name: "simulate, per-request outcomes",
    group,
    baseline: true,
    fn: () => {
      new Simulator(workload, replicas).run((decision) => router.route(decision));
    },
  });

  Deno.bench({
    name: "simulate and build the Arrow table of requests",
    group,
    fn: () => {
      const { outcomes } = new Simulator(workload, replicas).run((decision) =>
        router.route(decision)
      );
      tableFromRows(requestsSchema, requestRows(labels, workload, outcomes));
    },
  });

  for (const replicaCount of [4, 32, 256, 1024]) {
    const wide = scenario(32_000, replicaCount);
    Deno.bench({
      name: `${replicaCount} replicas, 32,000 requests, round robin`,
      group: "replicas at constant load each",
      baseline: replicaCount === 4,
      fn: () => {
        let next = 0;
        new Simulator(wide.workload, wide.replicas).run(() => next++ % replicaCount);
      },
    });
  }
}
