import assert from "node:assert/strict";
import {
  applyAssignments,
  comparePresets,
  experimentJsonSchema,
  parseExperimentConfig,
  presetChanges,
  presetNames,
} from "../../lib/config/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";

Deno.test("preset seed has the document's values", () => {
  const config = parseExperimentConfig({ preset: "seed" });
  // spec/scheduler.md section 0, "Config" and "PPO", and section 3, column "seed doc".
  assert.deepEqual(config.policy, {
    kind: "actor_critic",
    hiddenSize: 128,
    layerN: 2,
    gruLayers: 2,
    featureProjectionDim: 256,
    decoupled: true,
    boundedLogits: true,
  });
  const { state, reward, ppo, training } = config;
  assert.equal(ppo.learningRate, 5e-3);
  assert.equal(ppo.learningRateSchedule, "constant");
  assert.equal(ppo.gamma, 0.95);
  assert.equal(ppo.gaeLambda, 0.95);
  assert.equal(ppo.clipRatio, 0.15);
  assert.equal(ppo.valueClipRatio, ppo.clipRatio);
  assert.equal(ppo.entropyCoef, 0.25);
  assert.equal(ppo.valueCoef, 0.5);
  assert.equal(ppo.epochs, 8);
  assert.equal(ppo.rolloutLength, 32);
  assert.equal(ppo.minibatchSize, 64);
  assert.equal(ppo.targetKl, 0.01);
  assert.equal(ppo.advantageNormalization, "rollout");
  assert.equal(reward.mode, "hybrid");
  assert.equal(reward.throughputTarget, 0.05);
  assert.equal(reward.absoluteWeight, 0.8);
  assert.equal(reward.deltaWeight, 0.2);
  assert.equal(reward.alpha, 0.1);
  assert.equal(reward.latencyThresholdSeconds, 6);
  assert.equal(reward.squash, "none");
  assert.equal(state.layout, "vidurrl");
  assert.equal(state.enhancedFeatures, true);
  assert.equal(state.maxQueueRequests, 4);
  assert.equal(state.historyWindow, 5);
  assert.equal(state.qpsWindow, 10);
  assert.equal(state.decodeLengths, "true");
  const { mode, base, min, max } = training.temperature;
  assert.deepEqual({ mode, base, min, max }, { mode: "document", base: 1.5, min: 0.8, max: 3 });
  assert.equal(training.statisticsStabilizationSteps, 100);
  // Section 1.3.
  assert.equal(config.cluster.replicas[0]!.count, 4);
  assert.deepEqual(config.workload, {
    kind: "synthetic",
    arrivals: { kind: "poisson", ratePerSecond: 3, vidurClip: false },
    lengths: { kind: "fixed", promptTokens: 2048, outputTokens: 512 },
    overLength: "refuse",
  });
});

Deno.test("parseExperimentConfig() is the preset default where none is named", () => {
  const config = parseExperimentConfig({});
  assert.deepEqual(config, parseExperimentConfig({ preset: "default" }));
  assert.equal(config.state.layout, "signalbox");
  assert.equal(config.reward.mode, "request");
  assert.equal(config.state.decodeLengths, "hidden", "no oracle unless it is asked for");
});

Deno.test("given keys hide the preset's, and a block of another kind the preset's block", () => {
  const given = parseExperimentConfig({
    preset: "seed",
    ppo: { epochs: 4 },
    reward: { metrics: { windowSeconds: 3 } },
    policy: { kind: "mlp", hiddenSizes: [8] },
    workload: { kind: "fitted" },
  });
  const seed = parseExperimentConfig({ preset: "seed" });
  assert.deepEqual(given.ppo, { ...seed.ppo, epochs: 4 });
  assert.deepEqual(given.reward.metrics, { scope: "lifetime", windowSeconds: 3 });
  assert.deepEqual(given.policy, { kind: "mlp", hiddenSizes: [8], activation: "tanh" });
  assert.deepEqual(
    given.workload,
    parseExperimentConfig({ workload: { kind: "fitted" } }).workload,
  );
  const scorer = parseExperimentConfig({
    policy: { kind: "replica_scorer", loadResidualSlope: 2 },
  });
  assert.deepEqual(scorer.policy, {
    ...parseExperimentConfig({}).policy,
    loadResidualSlope: 2,
  });
});

Deno.test("every change of a preset differs from the schema, and each key is changed once", () => {
  for (const preset of presetNames) {
    const config = parseExperimentConfig({ preset });
    const differing = comparePresets().map(({ path }) => `${path}.`);
    for (const { path, source } of presetChanges[preset]) {
      assert.ok(source.length > 0);
      const shared = presetNames.every((other) =>
        presetChanges[other].some((change) => change.path === path)
      );
      assert.ok(
        shared || differing.some((other) => other.startsWith(`${path}.`)),
        `${preset}: ${path} is the schema's default`,
      );
    }
    const paths = presetChanges[preset].map(({ path }) => path);
    assert.equal(new Set(paths).size, paths.length);
    assert.deepEqual(config, parseExperimentConfig(config));
  }
});

Deno.test("applyAssignments() completes a whole block from the preset and refuses to change it", () => {
  const seed = parseExperimentConfig({ preset: "seed" });
  const block = [{ path: "ppo", value: { epochs: 4 } }];
  assert.deepEqual(applyAssignments(seed, block, "seed").ppo, { ...seed.ppo, epochs: 4 });
  assert.throws(() => applyAssignments(seed, [{ path: "preset", value: "default" }]), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /preset must be left out \(a preset is chosen by --preset/);
    return true;
  });
});

Deno.test("experimentJsonSchema() has the defaults that an empty experiment gets", () => {
  const config: unknown = parseExperimentConfig({});
  let leaves = 0;
  function compare(schema: Record<string, unknown>, value: unknown, path: string): void {
    const branches = [schema, ...(schema.oneOf as Record<string, unknown>[] | undefined ?? [])];
    const kind = (value as { kind?: string } | null)?.kind;
    const properties = branches.map((branch) =>
      branch.properties as Record<string, Record<string, unknown>> | undefined
    ).find((members) =>
      members !== undefined && [undefined, kind].includes(members.kind?.const as string)
    );
    if (properties === undefined) {
      if (schema.const !== undefined) return;
      leaves++;
      return assert.deepEqual(schema.default, value, path);
    }
    for (const [key, member] of Object.entries(value as Record<string, unknown>)) {
      compare(properties[key]!, member, `${path}.${key}`);
    }
  }
  const { properties: { preset: _, ...sections }, ...schema } = experimentJsonSchema() as {
    properties: Record<string, unknown>;
  };
  compare({ ...schema, properties: sections }, config, "");
  assert.ok(leaves > 80, `${leaves}`);
});
