import assert from "node:assert/strict";
import fc from "fast-check";
import { Rng } from "../../lib/random/mod.ts";
import { createRouter, routerNames } from "../../lib/routing/mod.ts";
import { fakeDecision, type FakeReplica } from "./_fake_view.ts";

/** Share of `draws` routings that went to each replica. */
function shares(name: string, replicas: readonly FakeReplica[], draws = 4000): number[] {
  const router = createRouter(name, {
    rng: new Rng(11),
    relativeSpeeds: replicas.map(() => 1),
  });
  const decision = fakeDecision(replicas);
  const counts = replicas.map(() => 0);
  for (let i = 0; i < draws; i++) counts[router.route(decision)]! += 1 / draws;
  return counts;
}

function assertShares(actual: readonly number[], expected: readonly number[]): void {
  // Four standard deviations of a share of one half over 4000 draws.
  actual.forEach((share, i) => assert.ok(Math.abs(share - expected[i]!) < 0.032, `${actual}`));
}

Deno.test("createRandom() draws available replicas uniformly", () => {
  assertShares(shares("random", [{ waiting: 99 }, { down: true }, {}, {}]), [
    1 / 3,
    0,
    1 / 3,
    1 / 3,
  ]);
});

Deno.test("createRoundRobin() goes round and skips replicas that are down", () => {
  const router = createRouter("round_robin", { rng: new Rng(1) });
  const all = fakeDecision([{}, {}, {}, {}]);
  const some = fakeDecision([{ down: true }, {}, { down: true }, {}]);
  const routed = [all, all, all, some, some, all, some, all]
    .map((decision) => router.route(decision));
  assert.deepEqual(routed, [0, 1, 2, 3, 1, 2, 3, 0]);
  router.reset!();
  assert.equal(router.route(all), 0);
});

Deno.test("createPowerOfTwo() takes the emptier of two different replicas", () => {
  // Pairs {0,1}, {0,2}, {1,2} are equally likely; 1 is emptiest, 2 fullest.
  const replicas = [{ running: 5 }, { waiting: 1 }, { running: 4, waiting: 4 }];
  assertShares(shares("power_of_two", replicas), [1 / 3, 2 / 3, 0]);
});

Deno.test("createPowerOfTwo() takes the only available replica", () => {
  const router = createRouter("power_of_two", { rng: new Rng(3) });
  assert.equal(router.route(fakeDecision([{ down: true }, { running: 9 }, { down: true }])), 1);
});

Deno.test("createLeastOutstanding() counts waiting and running requests, ties at random", () => {
  const replicas = [{ waiting: 3 }, { running: 2 }, { waiting: 1, running: 1 }, { down: true }];
  assertShares(shares("least_outstanding", replicas), [0, 0.5, 0.5, 0]);
});

Deno.test("createLeastKvTokens() counts tokens, not requests", () => {
  const replicas = [{ running: 1, kvTokens: 9000 }, { running: 50, kvTokens: 8999 }];
  assert.equal(
    createRouter("least_kv_tokens", { rng: new Rng(1) }).route(fakeDecision(replicas)),
    1,
  );
});

Deno.test("createLorTbt() weights outstanding requests by the time between tokens", () => {
  const router = createRouter("lor_tbt", { rng: new Rng(1) });
  const decision = fakeDecision([
    { running: 3, tbtEmaSeconds: 0.02 },
    { running: 1, tbtEmaSeconds: 0.05 },
    { running: 2, tbtEmaSeconds: 0.04 },
  ]);
  // (3+1) x 0.02, (1+1) x 0.05, (2+1) x 0.04
  const scores = router.scores!(decision, new Float64Array(3));
  assert.deepEqual([...scores], [0.08, 0.1, 0.12]);
  assert.equal(router.route(decision), 0);
});

Deno.test("createLorTbt() takes a replica without history to be as fast as the fastest", () => {
  const router = createRouter("lor_tbt", { rng: new Rng(1) });
  const decision = fakeDecision([
    { tbtEmaSeconds: 0.01, down: true },
    { running: 1, tbtEmaSeconds: 0.02 },
    { running: 2 },
  ]);
  assert.deepEqual([...router.scores!(decision, new Float64Array(3))], [Infinity, 0.04, 0.06]);
  // Nobody has decoded: plain LOR.
  assert.equal(router.route(fakeDecision([{ running: 2 }, { running: 1 }])), 1);
});

Deno.test("createSpeedWeightedLor() divides outstanding requests by the speed", () => {
  const router = createRouter("speed_weighted_lor", {
    rng: new Rng(1),
    relativeSpeeds: [1, 0.5, 0.25],
  });
  const decision = fakeDecision([{ running: 4 }, { running: 1 }, {}]);
  assert.deepEqual([...router.scores!(decision, new Float64Array(3))], [5, 4, 4]);
  assert.notEqual(router.route(decision), 0);
});

Deno.test("createSpeedWeightedLor() refuses missing, bad and too few speeds", () => {
  const rng = new Rng(1);
  assert.throws(() => createRouter("speed_weighted_lor", { rng }), {
    name: "ConfigError",
    field: "relativeSpeeds",
  });
  assert.throws(
    () => createRouter("speed_weighted_lor", { rng, relativeSpeeds: [1, 0] }),
    { name: "ConfigError", field: "relativeSpeeds[1]", value: 0 },
  );
  const router = createRouter("speed_weighted_lor", { rng, relativeSpeeds: [1] });
  assert.throws(() => router.route(fakeDecision([{}, {}])), {
    name: "ConfigError",
    field: "relativeSpeeds.length",
  });
});

Deno.test("createLorQueueOnly() ignores running requests and takes the first on ties", () => {
  const router = createRouter("lor_queue_only", { rng: new Rng(1) });
  assert.equal(router.route(fakeDecision([{ running: 99 }, {}, {}])), 0);
  assert.equal(router.route(fakeDecision([{ waiting: 2 }, { waiting: 1 }, { waiting: 1 }])), 1);
});

Deno.test("createRouter() lists the routers there are when the name is unknown", () => {
  assert.throws(() => createRouter("lor", { rng: new Rng(1) }), {
    name: "ConfigError",
    field: "router",
    message: /router must be one of lor_queue_only, random, .*, current value is "lor"$/,
  });
});

const replica = fc.record({
  down: fc.boolean(),
  waiting: fc.nat(3),
  running: fc.nat(3),
  kvTokens: fc.nat(3),
  tbtEmaSeconds: fc.constantFrom(0, 0.01, 0.02),
});

Deno.test("every router chooses an available replica of lowest score, deterministically", () => {
  fc.assert(fc.property(
    fc.array(replica, { minLength: 1, maxLength: 6 }),
    fc.integer(),
    (replicas, seed) => {
      fc.pre(replicas.some(({ down }) => !down));
      const decision = fakeDecision(replicas);
      for (const name of routerNames) {
        const options = { relativeSpeeds: replicas.map((_, i) => 1 + i % 2) };
        const router = createRouter(name, { rng: new Rng(seed), ...options });
        const twin = createRouter(name, { rng: new Rng(seed), ...options });
        for (let i = 0; i < 4; i++) {
          const chosen = router.route(decision);
          assert.equal(twin.route(decision), chosen, name);
          assert.equal(replicas[chosen]?.down, false, name);
          const scores = router.scores?.(decision, new Float64Array(replicas.length));
          if (scores !== undefined) assert.equal(scores[chosen], Math.min(...scores), name);
        }
      }
    },
  ));
});

Deno.test("every router refuses when no replica is available", () => {
  for (const name of routerNames) {
    const router = createRouter(name, { rng: new Rng(1), relativeSpeeds: [1, 1] });
    assert.throws(() => router.route(fakeDecision([{ down: true }, { down: true }])), {
      name: "RangeError",
      message:
        "Cannot route a request: the number of available replicas must be >= 1, current value is 0 of 2",
    });
  }
});
