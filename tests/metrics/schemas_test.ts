import {
  axisColumn,
  summarySchema,
  trainingColumns,
  trainingSchema,
  trialsSchema,
} from "@signalbox/signalbox/metrics";
import assert from "node:assert/strict";

Deno.test("trainingSchema() appends one nullable column a reward component, in the given order", () => {
  const schema = trainingSchema(["throughput", "latency"]);
  assert.deepEqual(Object.keys(schema), [
    ...Object.keys(trainingColumns),
    "reward_throughput",
    "reward_latency",
  ]);
  assert.equal(schema.reward_latency, "float64?");
});

Deno.test("trainingSchema() refuses a component twice or one that hides a fixed column", () => {
  assert.throws(
    () => trainingSchema(["a", "a"]),
    /components must be distinct.*current value is a/,
  );
  assert.throws(() => trainingSchema(["mean"]), {
    name: "RangeError",
    message: /none of mean, std/,
  });
});

Deno.test("trialsSchema() refuses columns with the same name", () => {
  assert.throws(() => trialsSchema({ seed: "int64?" }, summarySchema), {
    name: "RangeError",
    message:
      "Cannot define trials table: column names must be distinct, current value is seed (twice)",
  });
});

Deno.test("axisColumn() finds the narrowest common type, whatever is missing", () => {
  assert.equal(axisColumn("a", [true, null]), "bool?");
  assert.equal(axisColumn("a", [1, 2, undefined]), "int64?");
  assert.equal(axisColumn("a", [1, 2.5]), "float64?");
  assert.equal(axisColumn("a", ["x"]), "dictionary?");
  assert.equal(axisColumn("a", [[64, 64], []]), "float64[]?");
});

Deno.test("axisColumn() refuses values without a common type", () => {
  assert.throws(() => axisColumn("ppo.mode", [1, "x"]), {
    name: "TypeError",
    message:
      'Cannot make a column of ppo.mode: its values must be all booleans, numbers, strings or lists of numbers, current values are [1,"x"]',
  });
  assert.throws(() => axisColumn("ppo.mode", [null]), TypeError);
});
