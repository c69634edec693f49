import assert from "node:assert/strict";
import { Rng } from "../../lib/random/mod.ts";
import {
  type ConversationModel,
  conversationSchema,
  createConversations,
  type LengthTable,
} from "../../lib/workload/mod.ts";

/** First turns of 1000 prompt and 100 output tokens. */
const lengths: LengthTable = {
  promptTokens: [1000, 1000],
  outputTokensByPrompt: [{ maxPromptTokens: 1000, outputTokens: [100, 100] }],
};

/** Three turns, 10 s apart, each of which adds 24 tokens and has an output of 200. */
const model: ConversationModel = {
  blockTokens: 512,
  commonBlocks: 1,
  maxPromptTokens: 5000,
  firstContinues: [{ maxPromptTokens: 1000, share: 1 }],
  laterContinues: [1, 0],
  thinkSeconds: [10, 10],
  addedTokens: [{ maxPromptTokens: 5000, quantiles: [24, 24] }],
  branchShare: 0,
  branchKeeps: [0.5, 0.5],
  branchTokens: [300, 300],
  outputTokens: [200, 200],
  outputLikeness: 0,
};

/** What arrives at the given times: prompts, outputs and hashes. */
function arriving(changed: Partial<ConversationModel>, seconds: readonly number[]) {
  const next = createConversations({ ...model, ...changed }, lengths, new Rng(1));
  return seconds.map((time) => {
    const [promptTokens, outputTokens, { blockTokens, hashes }] = next(time);
    assert.equal(blockTokens, 512);
    assert.equal(hashes.length, Math.ceil(promptTokens / 512));
    return { promptTokens, outputTokens, hashes };
  });
}

Deno.test("createConversations() goes on with what was said, as soon as it is due", () => {
  assert.deepEqual(arriving({}, [0, 9, 11, 20, 22, 40]), [
    { promptTokens: 1000, outputTokens: 100, hashes: [0, 1] },
    // Nothing is due: another conversation.
    { promptTokens: 1000, outputTokens: 100, hashes: [0, 2] },
    // The first one's second turn: 1000 + 100 + 24 tokens, one whole block kept.
    { promptTokens: 1124, outputTokens: 200, hashes: [0, 3, 4] },
    // The second one's: due at 19.
    { promptTokens: 1124, outputTokens: 200, hashes: [0, 5, 6] },
    // The first one's third and last: due at 21, 1124 + 200 + 24 tokens, two whole blocks kept.
    { promptTokens: 1348, outputTokens: 200, hashes: [0, 3, 7] },
    { promptTokens: 1348, outputTokens: 200, hashes: [0, 5, 8] },
  ]);
});

Deno.test("createConversations() keeps a part of the prompt where a conversation branches", () => {
  const long = { ...lengths, promptTokens: [4096, 4096] };
  const next = createConversations({ ...model, branchShare: 1 }, long, new Rng(1));
  assert.deepEqual(next(0)[2].hashes, [0, 1, 2, 3, 4, 5, 6, 7]);
  // Half of eight blocks, and 300 tokens more.
  const [promptTokens, , { hashes }] = next(10);
  assert.equal(promptTokens, 4 * 512 + 300);
  assert.deepEqual(hashes, [0, 1, 2, 3, 8]);
});

Deno.test("createConversations() ends a conversation that would become too long", () => {
  const prompts = arriving({ maxPromptTokens: 1100 }, [0, 10, 20]);
  assert.deepEqual(prompts.map(({ promptTokens }) => promptTokens), [1000, 1000, 1000]);
  const next = createConversations(model, lengths, new Rng(1), 1200);
  assert.deepEqual([next(0), next(10)].map(([prompt]) => prompt), [1000, 1000]);
  assert.throws(() => createConversations(model, lengths, new Rng(1), 1099)(0), {
    name: "RangeError",
    message: /maxTokens must be reachable by the lengths, current value is 1099/,
  });
});

Deno.test("createConversations() keeps common blocks whatever a turn takes away", () => {
  const shrinking = [{ maxPromptTokens: 5000, quantiles: [-9000, -9000] }];
  const [, second] = arriving({ addedTokens: shrinking }, [0, 10]);
  assert.deepEqual(second, { promptTokens: 1000, outputTokens: 200, hashes: [0, 2] });
});

Deno.test("createConversations() makes outputs of one conversation as alike as asked", () => {
  const wide: LengthTable = {
    promptTokens: [1000, 1000],
    outputTokensByPrompt: [{ maxPromptTokens: 1000, outputTokens: [1, 10_001] }],
  };
  const correlation = (outputLikeness: number): number => {
    const next = createConversations(
      {
        ...model,
        outputLikeness,
        outputTokens: [1, 10_001],
        maxPromptTokens: 100_000,
        laterContinues: [0],
      },
      wide,
      new Rng(7),
    );
    // Times are 10 s apart: every second arrival goes on with the one before.
    const outputs = Array.from({ length: 8000 }, (_, i) => next(10 * i)[1] / 10_000 - 0.5);
    let product = 0;
    for (let i = 0; i < outputs.length; i += 2) product += outputs[i]! * outputs[i + 1]!;
    return 12 * product / (outputs.length / 2);
  };
  // Uniform margins of a Gaussian copula: 6 asin(r / 2) / pi. Standard error 1 / sqrt(4000).
  assert.ok(Math.abs(correlation(0)) < 0.07);
  assert.ok(Math.abs(correlation(0.8) - 6 / Math.PI * Math.asin(0.4)) < 0.07);
});

Deno.test("conversationSchema refuses shares above 1 and quantiles out of order", () => {
  assert.ok(conversationSchema.safeParse(model).success);
  for (
    const bad of [
      { branchShare: 1.1 },
      { thinkSeconds: [5, 1] },
      { addedTokens: [{ maxPromptTokens: 1, quantiles: [1.5, 2] }] },
      { laterContinues: [] },
      { unknown: 1 },
    ]
  ) assert.equal(conversationSchema.safeParse({ ...model, ...bad }).success, false);
});
