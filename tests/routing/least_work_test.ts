import assert from "node:assert/strict";
import fc from "fast-check";
import { Rng } from "../../lib/random/mod.ts";
import {
  createClairvoyantLeastWork,
  createPredictedLeastWork,
  OutputLengthPredictor,
} from "../../lib/routing/mod.ts";
import {
  buildCluster,
  clusterSchema,
  type RoutingDecision,
  Simulator,
} from "../../lib/simulator/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";

const replicas = buildCluster(clusterSchema.parse({ replicas: [{ gpu: "a100", count: 2 }] }));

function makeWorkload(rows: readonly (readonly [number, number, number])[]): Workload {
  return {
    name: "made",
    count: rows.length,
    arrivalSeconds: Float64Array.from(rows, (row) => row[0]),
    promptTokens: Int32Array.from(rows, (row) => row[1]),
    outputTokens: Int32Array.from(rows, (row) => row[2]),
  };
}

/** Prompts of 100 tokens have short outputs (10 or 30), those of 1,000 long ones (400 or 600). */
const past = makeWorkload([[0, 100, 10], [1, 100, 30], [2, 1000, 400], [3, 1000, 600]]);

Deno.test("OutputLengthPredictor is the mean given the prompt, and what is left of it", () => {
  const predictor = new OutputLengthPredictor(past);
  assert.equal(predictor.remainingTokens(100, 0), 20);
  assert.equal(predictor.remainingTokens(50, 0), 20, "shorter prompts belong to the first range");
  assert.equal(predictor.remainingTokens(5000, 0), 500, "longer ones to the last");
  assert.equal(predictor.remainingTokens(100, 10), 20, "30 is left: 30 - 10");
  assert.equal(predictor.remainingTokens(1000, 600), 1, "longer than any: about to end");
  assert.throws(() => new OutputLengthPredictor(makeWorkload([])), /at least one request/);
});

Deno.test("OutputLengthPredictor agrees with a plain mean over all longer outputs", () => {
  const outputs = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(outputs, fc.nat(310), (lengths, produced) => {
    const predictor = new OutputLengthPredictor(
      makeWorkload(lengths.map((length, i) => [i, 7, length])),
    );
    const longer = lengths.filter((length) => length > produced);
    const expected = longer.length === 0
      ? 1
      : longer.reduce((sum, length) => sum + length - produced, 0) / longer.length;
    assert.ok(Math.abs(predictor.remainingTokens(7, produced) - expected) < 1e-9);
  }));
});

/** Costs that the router gives to replicas at each decision of a run that routes as `actions` say. */
function costsOf(
  router: ReturnType<typeof createClairvoyantLeastWork>,
  workload: Workload,
): Float64Array[] {
  const simulator = new Simulator(workload, replicas, {
    observers: router.observer === undefined ? [] : [router.observer],
  });
  if ("begin" in router) router.begin({ oracle: simulator.oracle });
  const costs: Float64Array[] = [];
  simulator.run((decision: RoutingDecision) => {
    costs.push(router.scores!(decision, new Float64Array(2)).slice());
    return router.route(decision);
  });
  return costs;
}

// Two requests at once, then one: the first goes to a replica by the toss of a coin.
const three = makeWorkload([[0, 160, 100], [0, 320, 50], [0, 16, 10]]);

Deno.test("createClairvoyantLeastWork() counts true outputs, prompts by a sixteenth, over speeds", () => {
  const costs = costsOf(createClairvoyantLeastWork(new Rng(1), [1, 0.5]), three);
  assert.deepEqual([...costs[0]!], [110, 220]); // 100 + 160 / 16, at full and half speed
  // 110 on replica 0; the second adds 50 + 320 / 16 = 70.
  assert.deepEqual([...costs[1]!], [180, 140]);
  assert.deepEqual([...costs[2]!], [110 + 11, (70 + 11) / 0.5]); // 10 + 16 / 16 = 11
});

Deno.test("createClairvoyantLeastWork() must be told the truth, speeds must be speeds", () => {
  const router = createClairvoyantLeastWork(new Rng(1), [1, 1]);
  assert.throws(() => router.begin({}), { name: "TypeError", message: /oracle must be given/ });
  for (
    const create of [
      () => createClairvoyantLeastWork(new Rng(1), [1, 0]),
      () => createPredictedLeastWork(new Rng(1), [1, 0], new OutputLengthPredictor(past)),
    ]
  ) {
    assert.throws(create, { name: "ConfigError", message: /relativeSpeeds\[1\] must be/ });
  }
  const tooFew = createPredictedLeastWork(new Rng(1), [1], new OutputLengthPredictor(past));
  assert.throws(() => costsOf(tooFew as never, three), {
    name: "ConfigError",
    message: /relativeSpeeds\.length must be 2 \(replicas\), current value is 1/,
  });
});

Deno.test("createPredictedLeastWork() never sees an output length", () => {
  const predictor = new OutputLengthPredictor(past);
  const longer = { ...three, outputTokens: three.outputTokens.map((tokens) => 3 * tokens) };
  const run = (workload: Workload) =>
    costsOf(createPredictedLeastWork(new Rng(1), [1, 0.5], predictor) as never, workload);
  const costs = run(three);
  assert.deepEqual(run(longer), costs);
  // Prompts up to 100 tokens are expected to give 20, longer ones 500, whatever they will give.
  assert.deepEqual([...costs[0]!], [510, 1020]);
  assert.deepEqual([...costs[1]!], [510 + 520, 1040]);
});

Deno.test("createPredictedLeastWork() remembers what a request had produced when its replica failed", () => {
  const router = createPredictedLeastWork(new Rng(1), [2, 1], new OutputLengthPredictor(past));
  const workload = makeWorkload([[0, 1000, 600], [2.5, 100, 10]]);
  const simulator = new Simulator(workload, replicas, {
    observers: [router.observer!],
    incidents: [{ kind: "fail", atSeconds: 2, replica: 0 }],
  });
  const decisions: [request: number, costs: Float64Array][] = [];
  simulator.run((decision) => {
    decisions.push([decision.request.index, router.scores!(decision, new Float64Array(2)).slice()]);
    return router.route(decision);
  });
  const [first, again, last] = decisions;
  assert.deepEqual([first![0], again![0], last![0]], [0, 0, 1]);
  assert.deepEqual([...first![1]], [(500 + 1000 / 16) / 2, 500 + 1000 / 16]);
  // Two seconds of decoding are more than 100 tokens, and at most 1,100 are computed anew.
  assert.ok(last![1][1]! < 400 + 1100 / 16 + 20 + 100 / 16, `${last![1][1]}`);
});

Deno.test("createPredictedLeastWork() expects less of requests that have produced, and forgets", () => {
  const predictor = new OutputLengthPredictor(past);
  const router = createPredictedLeastWork(new Rng(1), [1, 1], predictor);
  // The second arrives when the first, of 30 tokens, has been produced for long or completed.
  const decode = (gap: number): number => {
    router.reset!();
    const [, second] = costsOf(
      router as never,
      makeWorkload([[0, 100, 30], [gap, 100, 10]]),
    );
    return Math.max(...second!) - Math.min(...second!);
  };
  assert.equal(decode(100), 0, "the first has completed");
  const early = decode(0.001);
  assert.ok(early >= 20, `${early}: 20 tokens and the prompt`);
  const later = decode(0.3);
  assert.ok(later > 0 && later < 20, `${later}: of at most 30 tokens more than 10 are out`);
});
