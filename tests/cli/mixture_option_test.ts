import assert from "node:assert/strict";
import { mixtureAssignment } from "../../lib/cli/_mixture_option.ts";
import { applyAssignments, parseExperimentConfig } from "../../lib/config/mod.ts";
import { getScenario } from "../../lib/scenarios/mod.ts";

Deno.test("--mixture makes entries of scenarios, at capacity, and their ranges of load", () => {
  const config = applyAssignments(parseExperimentConfig({}), [
    mixtureAssignment("mixed@50-90,slowdown@62.5,seen_16"),
  ]);
  const { mixture } = config.training;
  assert.deepEqual(mixture.map(({ rateScale }) => rateScale), [[0.5, 0.9], [0.625, 0.625], [
    0.75,
    0.75,
  ]]);
  ["mixed", "slowdown", "seen_16"].forEach((name, n) => {
    const { cluster, workload, incidents, capacity } = getScenario(name);
    const { ratePerSecond } = capacity;
    assert.deepEqual(mixture[n]!.cluster, cluster);
    assert.deepEqual(mixture[n]!.workload, { ...workload, ratePerSecond });
    assert.deepEqual(mixture[n]!.incidents, incidents);
    assert.equal(mixture[n]!.weight, 1);
  });
});

Deno.test("--mixture refuses what is no list of scenarios and loads", () => {
  for (
    const text of ["", "mixed@", "mixed@90-50", "mixed@0", "mixed@50-", "mixed@fast", "mixed,"]
  ) {
    assert.throws(() => mixtureAssignment(text), {
      name: "UsageError",
      message: /^Cannot read --mixture: it must be scenarios .*, current value is "/,
    });
  }
  assert.throws(() => mixtureAssignment("mix@50"), {
    name: "ConfigError",
    message: /scenario must be one of homogeneous, mixed, /,
  });
});
