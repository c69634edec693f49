import assert from "node:assert/strict";
import { createDecodeLengths, StateBuilder, stateSchema } from "../../lib/state/mod.ts";
import { fakeDecision } from "./_fake_cluster.ts";

const oracle = { outputTokens: (i: number) => 1000 + i, pendingOutputTokens: () => 0 };
const predicted = { decodeLengths: "predicted", predictionNoise: 0.5 } as const;

Deno.test("createDecodeLengths() never asks the oracle when lengths are hidden", () => {
  const trap = {
    outputTokens: () => assert.fail("asked the oracle"),
    pendingOutputTokens: () => assert.fail("asked the oracle"),
  };
  const hidden = createDecodeLengths({ ...predicted, decodeLengths: "hidden" }, trap, 0);
  assert.equal(hidden.outputTokens(5), 0);
});

Deno.test("createDecodeLengths() repeats a prediction and moves it with the seed only", () => {
  const a = createDecodeLengths(predicted, oracle, 1);
  const b = createDecodeLengths(predicted, oracle, 1);
  const c = createDecodeLengths(predicted, oracle, 2);
  const forwards = [0, 1, 2, 1].map((i) => a.outputTokens(i));
  const backwards = [2, 1, 0].map((i) => b.outputTokens(i)).reverse();
  assert.deepEqual(forwards, [...backwards, backwards[1]]);
  assert.notEqual(c.outputTokens(0), forwards[0]);
});

Deno.test("createDecodeLengths() errs by a log-normal factor of the given width", () => {
  const lengths = createDecodeLengths(predicted, oracle, 3);
  const count = 4000;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const log = Math.log(lengths.outputTokens(i) / oracle.outputTokens(i));
    sum += log;
    squares += log * log;
  }
  const mean = sum / count;
  // Standard errors: 0.5 / sqrt(4000) = 0.008 of the mean, 0.0056 of the deviation; four of each.
  assert.ok(Math.abs(mean) < 0.032, `mean ${mean}`);
  assert.ok(Math.abs(Math.sqrt(squares / count - mean * mean) - 0.5) < 0.023);
});

Deno.test("createDecodeLengths() predicts at least one token and exactly the truth without noise", () => {
  const one = { ...oracle, outputTokens: () => 1 };
  const wild = createDecodeLengths({ ...predicted, predictionNoise: 5 }, one, 0);
  const exact = createDecodeLengths({ ...predicted, predictionNoise: 0 }, oracle, 0);
  for (let i = 0; i < 50; i++) {
    assert.ok(wild.outputTokens(i) >= 1);
    assert.equal(exact.outputTokens(i), 1000 + i);
  }
});

Deno.test("createDecodeLengths() needs an oracle for anything but hidden lengths", () => {
  assert.throws(() => createDecodeLengths(predicted, undefined, 0), {
    name: "TypeError",
    message: "Cannot observe output lengths: oracle must be given when decodeLengths is " +
      '"predicted", current value is undefined',
  });
});

Deno.test("StateBuilder shows lengths of waiting requests in the document's column when told to", () => {
  const columnOf = (decodeLengths: string): number => {
    const config = stateSchema.parse({ decodeLengths });
    const builder = new StateBuilder(config, 1);
    builder.reset({ arrivalSeconds: [0], oracle });
    const decision = fakeDecision(9, 1, [{ waiting: [{ index: 8 }] }]);
    builder.observe(decision);
    const out = builder.build(decision, new Float32Array(builder.size));
    return out[builder.featureNames.indexOf("replica_0_request_0_num_decode_tokens")]!;
  };
  assert.equal(columnOf("hidden"), 0);
  assert.equal(columnOf("true"), 1008);
});
