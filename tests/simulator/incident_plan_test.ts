import assert from "node:assert/strict";
import { Rng } from "../../lib/random/mod.ts";
import { drawIncidents, type IncidentPlan, incidentPlanSchema } from "../../lib/simulator/mod.ts";
import { ConfigError, parseConfig } from "../../lib/support/mod.ts";

const plan: IncidentPlan = incidentPlanSchema.parse({
  shuffleReplicas: true,
  events: [
    { kind: "fail", replica: 0, atFraction: [0.1, 0.2] },
    { kind: "recover", replica: 0, atFraction: [0.3, 0.4] },
    { kind: "slowdown", replica: 1, factor: 3, atFraction: [0.5, 0.5] },
  ],
});

const run = { durationSeconds: 200, replicaCount: 4 };

Deno.test("drawIncidents() keeps to the ranges, moves replicas together and repeats itself", () => {
  const failing = new Set<number>();
  for (let seed = 0; seed < 60; seed++) {
    const incidents = drawIncidents(plan, new Rng(seed), run);
    const [fail, recover, slowdown] = incidents;
    assert.ok(fail!.atSeconds >= 20 && fail!.atSeconds < 40);
    assert.ok(recover!.atSeconds >= 60 && recover!.atSeconds < 80);
    assert.equal(fail!.replica, recover!.replica);
    assert.notEqual(fail!.replica, slowdown!.replica);
    const { replica } = slowdown!;
    assert.deepEqual(slowdown, { kind: "slowdown", factor: 3, replica, atSeconds: 100 });
    assert.deepEqual(drawIncidents(plan, new Rng(seed), run), incidents);
    failing.add(fail!.replica);
  }
  assert.equal(failing.size, 4, "every replica fails in some run");
});

Deno.test("drawIncidents() leaves replicas where they are unless asked to shuffle", () => {
  const fixed = { ...plan, shuffleReplicas: false };
  for (let seed = 0; seed < 10; seed++) {
    const replicas = drawIncidents(fixed, new Rng(seed), run).map(({ replica }) => replica);
    assert.deepEqual(replicas, [0, 0, 1]);
  }
});

Deno.test("incidentPlanSchema refuses what cannot happen", () => {
  const cases: [object, string][] = [
    [{ kind: "fail", replica: 0, atFraction: [0.4, 0.3] }, "events.0.atFraction"],
    [{ kind: "fail", replica: 0, atFraction: [0, 1.1] }, "events.0.atFraction.1"],
    [{ kind: "fail", replica: -1, atFraction: [0, 1] }, "events.0.replica"],
    [{ kind: "slowdown", replica: 0, atFraction: [0, 1] }, "events.0.factor"],
    [{ kind: "explode", replica: 0, atFraction: [0, 1] }, "events.0.kind"],
    [{ kind: "fail", replica: 0, atFraction: [0, 1], factor: 2 }, "events.0.factor"],
  ];
  for (const [event, field] of cases) {
    assert.throws(
      () => parseConfig(incidentPlanSchema, { events: [event] }),
      (error) => error instanceof ConfigError && error.field === field,
      field,
    );
  }
});
