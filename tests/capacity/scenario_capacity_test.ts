import assert from "node:assert/strict";
import { measureScenarioCapacity, withCapacity } from "../../lib/capacity/mod.ts";
import { getScenario, type ScenarioDefinition } from "../../lib/scenarios/mod.ts";

/** A scenario measured on little. */
function small(name: string): ScenarioDefinition {
  const scenario = getScenario(name);
  return { ...scenario, capacity: { ...scenario.capacity, requests: 250, seeds: [101, 102] } };
}

Deno.test("measureScenarioCapacity() finds the same rate whatever rate is stored", async () => {
  const scenario = small("homogeneous");
  const search = await measureScenarioCapacity(scenario);
  assert.ok(search.converged);
  const { limitSeconds } = scenario.capacity.objective;
  for (const { ratePerSecond, value, meetsSlo } of search.probes) {
    assert.equal(meetsSlo, value <= limitSeconds);
    assert.equal(meetsSlo, ratePerSecond <= search.ratePerSecond);
  }
  const stored = withCapacity(scenario, search);
  assert.deepEqual(await measureScenarioCapacity(stored), search);
  const { ratePerSecond, ...how } = stored.capacity;
  assert.ok(Math.abs(ratePerSecond / search.ratePerSecond - 1) < 0.005);
  const { ratePerSecond: _, ...before } = scenario.capacity;
  assert.deepEqual(how, before);
});

Deno.test("measureScenarioCapacity() counts incidents in", async () => {
  const calm = await measureScenarioCapacity({
    ...small("slowdown"),
    incidents: { shuffleReplicas: false, events: [] },
  });
  const troubled = await measureScenarioCapacity(small("slowdown"));
  assert.ok(troubled.ratePerSecond < calm.ratePerSecond);
});
