import assert from "node:assert/strict";
import fc from "fast-check";
import { RolloutBuffer, type RolloutBufferShape } from "../../lib/ppo/mod.ts";
import { Rng } from "../../lib/random/mod.ts";

/** Observation `[t, n]` of step t in environment n; hidden state `[t]` before step t. */
function fillBuffer(shape: RolloutBufferShape, buffer = new RolloutBuffer(shape)): RolloutBuffer {
  const { environmentCount: N, actionCount, rolloutLength } = shape;
  const count = (value: number, length = N): Float32Array => new Float32Array(length).fill(value);
  for (let t = 0; t < rolloutLength; t++) {
    buffer.addDecision({
      observations: Float32Array.from({ length: 2 * N }, (_, i) => i % 2 === 0 ? t : (i - 1) / 2),
      episodeStarts: new Uint8Array(N).fill(t === 1 ? 1 : 0),
      temperatures: count(1 + t),
      actionMasks: new Uint8Array(N * actionCount).fill(1),
      decision: {
        actions: new Int32Array(N).fill(t % actionCount),
        logProbs: count(-t),
        logProbabilities: count(-t, N * actionCount),
        logits: count(t, N * actionCount),
        values: count(t / 10),
        hiddenStates: count(t + 1, N * shape.hiddenStateSize),
      },
    });
    buffer.addOutcome({
      rewards: count(1),
      terminated: new Uint8Array(N),
      truncated: new Uint8Array(N),
      truncationValues: count(0),
      discounts: count(0.5),
    });
  }
  return buffer;
}

const SHAPE: RolloutBufferShape = {
  rolloutLength: 6,
  environmentCount: 2,
  observationSize: 2,
  actionCount: 3,
  hiddenStateSize: 1,
  sequenceLength: 3,
};

Deno.test("RolloutBuffer.minibatches() deals out every decision once and never tears a sequence", () => {
  const parameters = fc.record({
    environmentCount: fc.integer({ min: 1, max: 4 }),
    chunks: fc.integer({ min: 1, max: 3 }),
    sequenceLength: fc.integer({ min: 1, max: 5 }),
    minibatchSize: fc.integer({ min: 1, max: 20 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(parameters, ({ environmentCount, chunks, sequenceLength, minibatchSize, seed }) => {
      const rolloutLength = chunks * sequenceLength;
      const shape = { ...SHAPE, environmentCount, rolloutLength, sequenceLength };
      const buffer = fillBuffer(shape);
      const seen = new Set<string>();
      for (const batch of buffer.minibatches(minibatchSize, new Rng(seed))) {
        const { sequenceCount: B, observations } = batch;
        assert.ok(B === 1 || B * sequenceLength <= minibatchSize);
        for (let b = 0; b < B; b++) {
          const [start, environment] = observations.subarray(2 * b, 2 * b + 2);
          assert.equal(start! % sequenceLength, 0);
          assert.equal(batch.hiddenStates[b], start);
          for (let t = 0; t < sequenceLength; t++) {
            const row = t * B + b;
            const step = start! + t;
            assert.equal(observations[2 * row], step);
            assert.equal(observations[2 * row + 1], environment);
            assert.equal(batch.actions[row], step % 3);
            assert.equal(batch.logProbs[row], -step);
            assert.equal(batch.temperatures[row], 1 + step);
            assert.equal(batch.episodeStarts[row], step === 1 ? 1 : 0);
            seen.add(`${step} ${environment}`);
          }
        }
      }
      assert.equal(seen.size, rolloutLength * environmentCount);
    }),
    { seed: 5, numRuns: 60 },
  );
});

Deno.test("RolloutBuffer.minibatches() shuffles anew, the same way for the same generator", () => {
  const buffer = fillBuffer({ ...SHAPE, sequenceLength: 1 });
  const orderOf = (rng: Rng): number[] =>
    [...buffer.minibatches(4, rng)].flatMap(({ observations }) => [...observations]);
  const rng = new Rng(1);
  const first = orderOf(rng);
  assert.deepEqual(orderOf(new Rng(1)), first);
  assert.notDeepEqual(orderOf(rng), first);
});

Deno.test("RolloutBuffer.finish() computes returns = advantages + values", () => {
  const buffer = fillBuffer({ ...SHAPE, rolloutLength: 2, sequenceLength: 1, hiddenStateSize: 0 });
  assert.equal(buffer.isFinished, false);
  buffer.finish([2, 4], { gaeLambda: 1 });
  // discount .5, rewards 1: R_1 = 1 + .5 V, R_0 = 1 + .5 R_1
  assert.deepEqual([...buffer.returns], [2, 2.5, 2, 3]);
  assert.equal(buffer.isFinished, true);
});

Deno.test("RolloutBuffer carries hidden states from one rollout to the next", () => {
  const buffer = fillBuffer(SHAPE);
  assert.deepEqual([...buffer.sequenceHiddenStates], [0, 0, 3, 3]);
  buffer.clear();
  assert.equal(buffer.stepCount, 0);
  fillBuffer(SHAPE, buffer);
  assert.deepEqual([...buffer.sequenceHiddenStates], [6, 6, 3, 3]);
});

Deno.test("RolloutBuffer.gather() copies the masks of its rows", () => {
  const buffer = fillBuffer({ ...SHAPE, sequenceLength: 1 });
  buffer.actionMasks[3 * 4 + 1] = 0; // row 4: step 2 of environment 0
  assert.deepEqual([...buffer.gather([1, 4]).actionMasks], [1, 1, 1, 1, 0, 1]);
});

Deno.test("RolloutBuffer refuses impossible shapes and calls out of order", () => {
  assert.throws(() => new RolloutBuffer({ ...SHAPE, sequenceLength: 4 }), {
    name: "RangeError",
    message:
      "Cannot create a rollout buffer: sequenceLength must divide rolloutLength 6, current value is 4",
  });
  assert.throws(() => new RolloutBuffer({ ...SHAPE, environmentCount: 0 }), {
    message:
      "Cannot create a rollout buffer: environmentCount must be an integer >= 1, current value is 0",
  });
  const buffer = new RolloutBuffer(SHAPE);
  assert.throws(() => buffer.finish([0, 0], { gaeLambda: 1 }), {
    message: "Cannot finish the rollout: stepCount must be 6, current value is 0",
  });
  assert.throws(() => fillBuffer(SHAPE, fillBuffer(SHAPE)), {
    message: "Cannot add a decision: stepCount must be below 6, current value is 6",
  });
});
