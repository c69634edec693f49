import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { answer, cutSequences, gatherBatch } from "../../lib/pretraining/_sequences.ts";
import { assertAllClose } from "../_helpers.ts";
import { createSmallPolicy, normals } from "../policy/_policies.ts";

const ROWS = 19;
const EPISODES = [{ begin: 0, length: 7 }, { begin: 7, length: 12 }];
const INPUTS = {
  observations: normals(ROWS * 14, 5),
  actionMasks: Uint8Array.from({ length: ROWS * 3 }, (_, i) => i % 7 === 0 ? 0 : 1),
};

Deno.test("cutSequences() keeps every row once and marks where episodes begin", () => {
  assert.deepEqual(cutSequences(EPISODES, 5), [
    { begin: 0, length: 5, isStart: true },
    { begin: 5, length: 2, isStart: false },
    { begin: 7, length: 5, isStart: true },
    { begin: 12, length: 5, isStart: false },
    { begin: 17, length: 2, isStart: false },
  ]);
});

for (const name of ["actor_critic decoupled", "mlp tanh"]) {
  Deno.test(`answer() (${name}) says what the policy says decision after decision`, () => {
    const policy = createSmallPolicy(name);
    const { actions, logProbabilities } = answer(policy, INPUTS, {
      episodes: EPISODES,
      sequenceLength: 5,
    });
    for (const { begin, length } of EPISODES) {
      let hiddenStates = policy.initialHiddenStates(1);
      for (let row = begin; row < begin + length; row++) {
        const decision = policy.act(INPUTS.observations.subarray(row * 14, row * 14 + 14), {
          sampler: "greedy",
          hiddenStates,
          actionMasks: INPUTS.actionMasks.subarray(row * 3, row * 3 + 3),
        });
        hiddenStates = decision.hiddenStates;
        assert.equal(actions[row], decision.actions[0]);
        assertAllClose(logProbabilities.subarray(row * 3, row * 3 + 3), decision.logProbabilities, {
          atol: 1e-6,
        });
      }
    }
    policy.dispose();
  });
}

Deno.test("gatherBatch() gives sequences that evaluate to what the policy answered there", () => {
  const policy = createSmallPolicy("actor_critic decoupled");
  const sequenceLength = 5;
  const sequences = cutSequences(EPISODES, sequenceLength);
  const { actions, logProbabilities, hiddenStates } = answer(policy, INPUTS, {
    episodes: EPISODES,
    sequenceLength,
  });
  const { batch, rows } = gatherBatch(policy, INPUTS, {
    sequences,
    chosen: [4, 1, 2],
    sequenceLength,
    hiddenStates,
    actions,
  });
  // time-major: first steps of the three sequences, then their second steps, ...
  assert.deepEqual([...rows], [17, 5, 7, 18, 6, 8, -1, -1, 9, -1, -1, 10, -1, -1, 11]);
  assert.deepEqual([...batch.episodeStarts.subarray(0, 3)], [0, 0, 1]);
  const evaluated = tf.tidy(() => {
    const inputs = Object.entries(policy.encodeBatch(batch))
      .map(([key, { values, shape }]) => [key, tf.tensor(values, [...shape])]);
    return policy.evaluateActions(Object.fromEntries(inputs)).logProbabilities.dataSync();
  });
  rows.forEach((row, i) => {
    if (row < 0) return;
    assertAllClose(
      evaluated.subarray(i * 3, i * 3 + 3),
      logProbabilities.subarray(row * 3, row * 3 + 3),
      { atol: 1e-5 },
    );
  });
  policy.dispose();
});
