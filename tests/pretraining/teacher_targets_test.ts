import assert from "node:assert/strict";
import {
  agreementByRouter,
  decisionWeights,
  overallAgreement,
  pretrainingSchema,
  softTargets,
  splitEpisodes,
  teacherTargets,
} from "../../lib/pretraining/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { handMade } from "./_datasets.ts";

const DATA = handMade([
  { router: "a", scores: [[1, 3], [2, 2], [5, 0]], actions: [0, 1, 1] },
  { router: "b", scores: null, actions: [1] },
  { router: "a", scores: [[0, 1]], actions: [0] },
]);

Deno.test("softTargets() is softmax(-costs / temperature)", () => {
  // exp(0), exp(-1), exp(-2) at temperature 2
  const total = 1 + Math.exp(-1) + Math.exp(-2);
  assertAllClose(
    softTargets([4, 6, 8], 2),
    [1 / total, Math.exp(-1) / total, Math.exp(-2) / total],
    { rtol: 1e-15 },
  );
  assert.deepEqual([...softTargets([1e300, Infinity, 0], 1)], [0, 0, 1]);
});

Deno.test("teacherTargets() uses scores where there are any and each router's temperature", () => {
  const config = pretrainingSchema.parse({ temperature: 1, temperatures: { a: 2 } });
  const { probabilities, entropies } = teacherTargets(DATA, config);
  const p = 1 / (1 + Math.exp(-1)); // scores 1 and 3 at temperature 2
  assertAllClose(probabilities.subarray(0, 4), [p, 1 - p, 0.5, 0.5], { atol: 1e-7 });
  assert.deepEqual([...probabilities.subarray(6, 8)], [0, 1], "no scores: the action");
  const entropy = -p * Math.log(p) - (1 - p) * Math.log(1 - p);
  assertAllClose(entropies.subarray(0, 2), [entropy, Math.LN2], { rtol: 1e-15 });
  assert.equal(entropies[3], 0);
});

Deno.test("teacherTargets() puts everything on the action when targets are hard", () => {
  const { probabilities, entropies } = teacherTargets(
    DATA,
    pretrainingSchema.parse({ targets: "hard" }),
  );
  assert.deepEqual([...probabilities], [1, 0, 0, 1, 0, 1, 0, 1, 1, 0]);
  assert.deepEqual([...entropies], [0, 0, 0, 0, 0]);
});

Deno.test("decisionWeights() makes every router count by its weight, whatever its decisions", () => {
  // 5 decisions; a: 4 of them, b: 1; equal weights: 5 / (2 x 4) and 5 / (2 x 1)
  assert.deepEqual(
    [...decisionWeights(DATA, [0, 1, 2], {})],
    [0.625, 0.625, 0.625, 2.5, 0.625],
  );
  // a three times b: 3 x 5 / (4 x 4) and 5 / (4 x 1)
  assert.deepEqual(
    [...decisionWeights(DATA, [0, 1, 2], { a: 3 })],
    [0.9375, 0.9375, 0.9375, 1.25, 0.9375],
  );
  assert.deepEqual([...decisionWeights(DATA, [2], {})], [0, 0, 0, 0, 1]);
  assert.throws(
    () => decisionWeights(DATA, [0, 1], { a: 0, b: 0 }),
    (error) => error instanceof ConfigError && error.field === "pretraining.weights",
  );
});

Deno.test("agreementByRouter() lets ties pass and tells agreement without them", () => {
  // a: decision 0 right, 1 a tie (either is right), 2 wrong, 4 right; b: wrong
  const byRouter = agreementByRouter(DATA, [0, 1, 2], Int32Array.of(0, 0, 0, 0, 0));
  assert.deepEqual(Object.fromEntries(byRouter), {
    a: { decisionCount: 4, agreement: 0.75, tieFreeCount: 3, tieFreeAgreement: 2 / 3 },
    b: { decisionCount: 1, agreement: 0, tieFreeCount: 0, tieFreeAgreement: null },
  });
  assert.deepEqual(overallAgreement(byRouter), {
    decisionCount: 5,
    agreement: 0.6,
    tieFreeCount: 3,
    tieFreeAgreement: 2 / 3,
  });
});

Deno.test("splitEpisodes() holds out a share of each router's episodes", () => {
  const episode = { rateScale: 1, workloadSeed: 0, decisionCount: 1, hasScores: true };
  const routers = [..."aaaaaaaaaa", ..."bb", "c"];
  const episodes = routers.map((router) => ({ ...episode, router }));
  const split = splitEpisodes({ episodes }, 0.3, new Rng(1));
  assert.deepEqual(
    [...split.training, ...split.validation].sort((a, b) => a - b),
    routers.map((_, e) => e),
  );
  assert.equal(split.validation.map((e) => routers[e]).join(""), "aaab");
  assert.deepEqual(splitEpisodes({ episodes }, 0.3, new Rng(1)), split);
  assert.notDeepEqual(splitEpisodes({ episodes }, 0.3, new Rng(2)), split);
  assert.throws(() => splitEpisodes({ episodes: episodes.slice(11) }, 0.3, new Rng(1)), {
    name: "UsageError",
    message: /a router must have at least 2 episodes.*1 each \(b, c\)/,
  });
});
