import assert from "node:assert/strict";
import { Rng } from "../../lib/random/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { createCartPole } from "./_cart_pole.ts";

Deno.test("createCartPole() moves as Gymnasium's CartPole-v1", () => {
  const environment = createCartPole(new Rng(1));
  const observation = new Float32Array(4);
  environment.reset(observation);
  assert.ok(observation.every((value) => Math.abs(value) <= 0.05));
  const [x, v, angle, w] = observation as unknown as [number, number, number, number];
  environment.step(1, observation);
  // one Euler step by hand: force 10, masses 1 and 0.1, half length 0.5, 0.02 s
  const push = (10 + 0.05 * w * w * Math.sin(angle)) / 1.1;
  const angular = (9.8 * Math.sin(angle) - Math.cos(angle) * push) /
    (0.5 * (4 / 3 - 0.1 * Math.cos(angle) ** 2 / 1.1));
  const linear = push - 0.05 * angular * Math.cos(angle) / 1.1;
  const expected = [x + 0.02 * v, v + 0.02 * linear, angle + 0.02 * w, w + 0.02 * angular];
  assertAllClose(observation, expected, { atol: 1e-6 });
});

Deno.test("createCartPole() falls over when pushed one way", () => {
  const environment = createCartPole(new Rng(2));
  const observation = new Float32Array(4);
  environment.reset(observation);
  let steps = 1;
  while (!environment.step(1, observation).terminated) steps++;
  assert.ok(steps >= 7 && steps <= 12, `${steps}`);
});
