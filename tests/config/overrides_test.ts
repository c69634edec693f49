import assert from "node:assert/strict";
import {
  applyAssignments,
  assignPaths,
  type ExperimentConfig,
  parseAssignment,
  parseExperimentConfig,
} from "../../lib/config/mod.ts";
import { ConfigError, UsageError } from "../../lib/support/mod.ts";

const config = parseExperimentConfig({});

/** The configuration with keys set as on a command line. */
function set(...texts: string[]): ExperimentConfig {
  return applyAssignments(config, texts.map(parseAssignment));
}

Deno.test("parseAssignment() reads JSON values and takes anything else as text", () => {
  const values: [string, unknown][] = [
    ["a=1", 1],
    ["a=-1e-3", -0.001],
    ["a=true", true],
    ["a=null", null],
    ["a=[1,2]", [1, 2]],
    ['a={"b":1}', { b: 1 }],
    ['a="1"', "1"],
    ["a=hybrid", "hybrid"],
    ["a=x=y", "x=y"],
    ["a=", ""],
  ];
  for (const [text, value] of values) assert.deepEqual(parseAssignment(text), { path: "a", value });
});

Deno.test("parseAssignment() refuses what is no assignment", () => {
  for (const text of ["", "a", "=1", ".a=1", "a.=1", "a..b=1"]) {
    assert.throws(
      () => parseAssignment(text),
      (error) => error instanceof UsageError && error.message.includes(JSON.stringify(text)),
    );
  }
});

Deno.test("applyAssignments() changes the keys named and nothing else, and not its argument", () => {
  const before = structuredClone(config);
  const changed = set(
    "ppo.clipRatio=0.3",
    "cluster.replicas.0.gpu=h100",
    "evaluation.seeds=[7]",
  );
  assert.equal(changed.ppo.clipRatio, 0.3);
  assert.equal(changed.cluster.replicas[0]!.gpu, "h100");
  assert.deepEqual(changed.evaluation.seeds, [7]);
  assert.deepEqual(config, before);
  const back = applyAssignments(changed, [
    { path: "ppo.clipRatio", value: config.ppo.clipRatio },
    { path: "cluster.replicas.0.gpu", value: config.cluster.replicas[0]!.gpu },
    { path: "evaluation.seeds", value: config.evaluation.seeds },
  ]);
  assert.deepEqual(back, config);
});

Deno.test("applyAssignments() reaches optional keys and whole sections", () => {
  assert.equal(
    set("cluster.replicas.0.kvBlocks=99").cluster.replicas[0]!.kvBlocks,
    99,
  );
  const policy = set('policy={"kind":"mlp","hiddenSizes":[8]}').policy;
  assert.deepEqual(policy, { kind: "mlp", hiddenSizes: [8], activation: "tanh" });
});

Deno.test("applyAssignments() makes the last of several assignments to a key hold", () => {
  assert.equal(set("seed=1", "seed=2").seed, 2);
});

Deno.test("applyAssignments() names the field, the value and what is allowed", () => {
  const cases: [string, string, unknown, RegExp][] = [
    ["ppo.clipRato=1", "ppo.clipRato", 1, /unknown key/],
    ["pppo.clipRatio=1", "pppo.clipRatio", 1, /unknown key pppo; known here: .*ppo/],
    ["ppo.clipRatio=-1", "ppo.clipRatio", -1, /> 0/],
    ["ppo.clipRatio=high", "ppo.clipRatio", "high", /number/],
    ["ppo.epochs=1.5", "ppo.epochs", 1.5, /int/],
    ["ppo.gamma=2", "ppo.gamma", 2, /<= 1/],
    ["reward.mode=best", "reward.mode", "best", /"delta", "instant", "hybrid"/],
    ["seed=-1", "seed", -1, />= 0/],
    ["seed.x=1", "seed.x", 1, /has no keys/],
    ["cluster.replicas.5.gpu=a40", "cluster.replicas.5", undefined, /./],
    ["cluster.replicas.x.gpu=a40", "cluster.replicas.x.gpu", "a40", /index/],
    ["evaluation.seeds=[1,1]", "evaluation.seeds", [1, 1], /distinct/],
    ["evaluation.seeds=[]", "evaluation.seeds", [], />= 1/],
    ["__proto__.polluted=1", "__proto__.polluted", 1, /unknown key/],
    ["ppo.constructor=1", "ppo.constructor", 1, /unknown key/],
  ];
  for (const [text, field, value, allowed] of cases) {
    assert.throws(() => set(text), (error) => {
      assert.ok(error instanceof ConfigError, `${text}: ${error}`);
      if (text !== "cluster.replicas.5.gpu=a40") {
        assert.equal(error.field, field);
        assert.deepEqual(error.value, value);
      }
      assert.match(error.allowed, allowed);
      return true;
    });
  }
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("assignPaths() creates missing containers and refuses to go through values", () => {
  assert.deepEqual(assignPaths({}, [{ path: "a.b", value: 1 }]), { a: { b: 1 } });
  assert.throws(() => assignPaths({ a: 1 }, [{ path: "a.b", value: 1 }]), ConfigError);
});
