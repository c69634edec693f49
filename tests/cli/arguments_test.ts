import assert from "node:assert/strict";
import { Command } from "commander";
import {
  collectNumber,
  givenOptions,
  parseArguments,
  parseNumbers,
  parseSeed,
  parseSeeds,
} from "../../lib/cli/_arguments.ts";
import { withSlos } from "../../lib/cli/_slo_options.ts";

Deno.test("parseSeeds() reads integers and ranges, and refuses what nobody means", () => {
  assert.deepEqual(parseSeeds("1, 2,5-9"), [1, 2, 5, 6, 7, 8, 9]);
  for (const text of ["", "1,", "3-1", "-1", "1.5", "x", "0-10000", "9007199254740993"]) {
    assert.throws(() => parseSeeds(text), { name: "UsageError", message: /--seeds must be integ/ });
  }
  assert.throws(() => parseSeeds("1-3,2"), { name: "UsageError", message: /must be distinct/ });
});

Deno.test("parseSeed() reads one integer", () => {
  assert.equal(parseSeed("0"), 0);
  for (const text of ["", "1,2", "1-2", "-1", "1e3", "9007199254740993"]) {
    assert.throws(() => parseSeed(text), { name: "UsageError", message: /--seed: it must be one/ });
  }
});

Deno.test("numbers on a command line are finite, and > 0 in lists", () => {
  assert.deepEqual(parseNumbers("--rates")("0.5, 2"), [0.5, 2]);
  for (const text of ["", "1,,2", "0", "-1", "Infinity", "x"]) {
    assert.throws(() => parseNumbers("--rates")(text), { message: /--rates: it must be numbers/ });
  }
  const collect = collectNumber("--weight");
  assert.deepEqual(collect("a=2", collect("b=0.5")), { b: 0.5, a: 2 });
  for (const text of ["a", "=1", "a=", "a=x", "a=Infinity"]) {
    assert.throws(() => collect(text), { message: /--weight: it must be name=number/ });
  }
});

Deno.test("givenOptions() tells what was typed from what has a default", () => {
  const program = new Command("program").option("--left <x>").option("--right <x>", "", "default");
  assert.deepEqual(givenOptions(parseArguments(program, [])), []);
  const given = givenOptions(parseArguments(program, ["--right", "default"]));
  assert.deepEqual(given.map(({ long }) => long), ["--right"]);
});

Deno.test("withSlos() puts the targets of the command line in place of those of the same kind", () => {
  const workload = {
    name: "two",
    count: 2,
    arrivalSeconds: Float64Array.of(0, 1),
    promptTokens: Int32Array.of(1, 1),
    outputTokens: Int32Array.of(1, 1),
    slos: { ttftSeconds: Float64Array.of(1, 2), e2eSeconds: Float64Array.of(3, 4) },
  };
  assert.deepEqual(withSlos(workload, { sloE2e: 9, sloTpot: 0.1 }).slos, {
    ttftSeconds: Float64Array.of(1, 2),
    tpotSeconds: Float64Array.of(0.1, 0.1),
    e2eSeconds: Float64Array.of(9, 9),
  });
  const { slos: _, ...plain } = workload;
  assert.equal(withSlos(plain, {}), plain);
});
