import assert from "node:assert/strict";
import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { openScenario, type Scenario } from "../../lib/training/mod.ts";
import type { Workload } from "../../lib/workload/mod.ts";

function open(input: ExperimentInput): Promise<Scenario> {
  return openScenario(parseExperimentConfig(input));
}

/** A trace in which request `i` has `i + 1` prompt tokens, so that every request is known again. */
async function withTrace(
  count: number,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  const rows = Array.from({ length: count }, (_, i) => `${i},${i + 1},2`);
  await Deno.writeTextFile(
    path,
    `arrived_at,num_prefill_tokens,num_decode_tokens\n${rows.join("\n")}\n`,
  );
  try {
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

function fingerprints({ arrivalSeconds, promptTokens, count }: Workload): string[] {
  return Array.from({ length: count }, (_, i) => `${arrivalSeconds[i]} ${promptTokens[i]}`);
}

Deno.test("openScenario() never trains on generated arrivals that it evaluates on", async () => {
  const scenario = await open({
    training: { episodeRequests: 200 },
    evaluation: { seeds: [0, 1, 2], requests: 200 },
  });
  // Training seeds equal to evaluation seeds are the case in which streams could coincide.
  const trained = new Set([0, 1, 2].flatMap((seed) =>
    [0, 1].flatMap((n) => {
      const rng = new Rng(seed).stream(`environment ${n}`).stream("episode 0").stream("workload");
      return [
        ...fingerprints(scenario.trainingWorkload(rng)),
        ...fingerprints(scenario.trainingWorkload(new Rng(seed))),
      ];
    })
  ));
  for (const seed of [0, 1, 2]) {
    const evaluated = fingerprints(scenario.evaluationWorkload(seed));
    assert.equal(evaluated.length, 200);
    assert.ok(evaluated.every((request) => !trained.has(request)));
  }
});

Deno.test("openScenario() trains on the first part of a trace and evaluates on disjoint stretches of the last", () =>
  withTrace(1000, async (path) => {
    const scenario = await open({
      workload: { kind: "trace", path },
      training: { episodeRequests: 50 },
      evaluation: { seeds: [4, 8, 15], requests: 90 },
    });
    const trained = Array.from(
      { length: 200 },
      (_, seed) => [...scenario.trainingWorkload(new Rng(seed)).promptTokens],
    ).flat();
    const lastTrained = Math.max(...trained);
    const stretches = [4, 8, 15].map((seed) => [...scenario.evaluationWorkload(seed).promptTokens]);
    assert.deepEqual(stretches.map((stretch) => stretch.length), [90, 90, 90]);
    const evaluated = stretches.flat();
    assert.equal(new Set(evaluated).size, evaluated.length, "stretches do not overlap");
    assert.ok(lastTrained <= 600, "trained on the first 60 %");
    assert.ok(Math.min(...evaluated) > 700, "evaluated on the last 30 %");
    assert.throws(() => scenario.evaluationWorkload(5), /seed must be one of evaluation\.seeds/);
  }));

Deno.test("openScenario() shortens the runs of a trace rather than let them overlap", () =>
  withTrace(1000, async (path) => {
    const scenario = await open({
      workload: { kind: "trace", path },
      training: { episodeRequests: 50 },
      evaluation: { seeds: [1, 2, 3], requests: 5000 },
    });
    const runs = [1, 2, 3].map((seed) => scenario.evaluationWorkload(seed).promptTokens);
    assert.deepEqual(runs.map((run) => run.length), [100, 100, 100]);
    assert.equal(new Set(runs.flatMap((run) => [...run])).size, 300);
  }));

Deno.test("openScenario() refuses a trace whose requests do not fit or are too few", async () => {
  await withTrace(1000, async (path) => {
    const workload = { kind: "trace", path } as const;
    const small = { replicas: [{ gpu: "a100", kvBlocks: 20 }] };
    await assert.rejects(open({ workload, cluster: small, training: { episodeRequests: 9 } }), {
      name: "TraceError",
      message: /request \d+ .*must have at most \d+ tokens/,
    });
    await assert.rejects(open({ workload, training: { episodeRequests: 601 } }), {
      name: "RangeError",
      message:
        /\(train\): count must be <= 60\d, current value is 601 \(training\.episodeRequests\)$/,
    });
    const short = parseExperimentConfig({ workload, training: { episodeRequests: 601 } });
    const forEvaluation = await openScenario(short, { forTraining: false });
    assert.equal(forEvaluation.evaluationWorkload(1).count, 60, "a fifth of the last 30 %");
  });
  await withTrace(12, async (path) => {
    await assert.rejects(
      open({ workload: { kind: "trace", path }, training: { episodeRequests: 2 } }),
      { name: "RangeError", message: /at least two requests for each of the 5 evaluation\.seeds/ },
    );
  });
});

Deno.test("openScenario() keeps training, validation and test arrivals apart", async () => {
  const scenario = await open({
    training: { episodeRequests: 100 },
    evaluation: { seeds: [0, 1], requests: 100 },
  });
  const seen = new Set<string>();
  for (const seed of [0, 1]) {
    const parts = [
      scenario.trainingWorkload(new Rng(seed)),
      scenario.trainingWorkload(new Rng(seed).stream("environment 0")),
      scenario.evaluationWorkload(seed),
      scenario.evaluationWorkload(seed, "validation"),
    ];
    for (const request of parts.flatMap(fingerprints)) {
      assert.ok(!seen.has(request), request);
      seen.add(request);
    }
  }
  assert.deepEqual(scenario.evaluationWorkload(1), scenario.evaluationWorkload(1, "test"));
});

Deno.test("openScenario() validates on the middle of a trace, and learns lengths on its first part", () =>
  withTrace(1000, async (path) => {
    const scenario = await open({
      workload: { kind: "trace", path },
      training: { episodeRequests: 50 },
      evaluation: { seeds: [7, 3], requests: 500 },
    });
    const stretches = [7, 3].map((seed) => [
      ...scenario.evaluationWorkload(seed, "validation").promptTokens,
    ]);
    // Request i has i + 1 prompt tokens and arrives at second i: 10 % of 999 s from 599.4 s on.
    assert.deepEqual(stretches.map((stretch) => [stretch[0], stretch.at(-1)]), [[601, 650], [
      651,
      700,
    ]]);
    assert.equal(Math.max(...scenario.lengthSample().promptTokens), 600);
  }));
