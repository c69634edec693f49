import assert from "node:assert/strict";
import type { ExperimentInput } from "../../lib/config/mod.ts";
import { type DependencePoint, measureDependence, useSimdBackend } from "../../lib/training/mod.ts";
import { assertAllClose } from "../_helpers.ts";
import { withTrained } from "./_with_trained.ts";

await useSimdBackend();

const BASE: ExperimentInput = {
  cluster: { replicas: [{ gpu: "a100" }, { gpu: "a40", count: 2 }] },
  workload: { kind: "fitted", ratePerSecond: 6 },
  state: { layout: "signalbox" },
  policy: { kind: "replica_scorer", hiddenSize: 8, loadResidualSlope: 3 },
  ppo: { rolloutLength: 16, minibatchSize: 16, epochs: 1, learningRate: 1e-6 },
  training: { environments: 2, decisions: 32, episodeRequests: 60 },
  evaluation: { seeds: [101, 102], requests: 60 },
};

function curve(
  points: readonly DependencePoint[],
  feature: DependencePoint["feature"],
  replica: number,
): number[] {
  return points.filter((point) => point.feature === feature && point.replica === replica)
    .map((point) => point.probability);
}

Deno.test("measureDependence() shows a policy that starts as least outstanding as just that", () =>
  withTrained(BASE, (trained, scenario) => {
    const points = measureDependence(scenario, trained, { every: 5, promptTokens: [64, 2048] });
    for (let replica = 0; replica < 3; replica++) {
      const byLoad = curve(points, "outstanding_requests", replica);
      assert.equal(byLoad.length, 11);
      byLoad.slice(1).forEach((p, i) => assert.ok(p < byLoad[i]!, `replica ${replica}: ${byLoad}`));
      // The residual knows no prompts; what the network adds is next to nothing.
      const [short, long] = curve(points, "prompt_tokens", replica);
      assert.ok(Math.abs(short! - long!) < 0.02, `${short} ${long}`);
    }
    for (const value of [64, 2048]) {
      const sum = points.filter((point) =>
        point.feature === "prompt_tokens" && point.value === value
      )
        .reduce((total, { probability }) => total + probability, 0);
      assert.ok(Math.abs(sum - 1) < 1e-5);
    }
    assert.deepEqual(
      measureDependence(scenario, trained, { every: 5, promptTokens: [64, 2048] }),
      points,
    );
  }));

Deno.test("measureDependence() says nothing of a replica that is down", () =>
  withTrained({
    ...BASE,
    incidents: { events: [{ kind: "fail", replica: 1, atFraction: [0, 0] }] },
  }, (trained, scenario) => {
    const points = measureDependence(scenario, trained, { every: 5, promptTokens: [64] });
    assert.deepEqual([...new Set(points.map(({ replica }) => replica))], [0, 2]);
    const prompts = points.filter(({ feature }) => feature === "prompt_tokens");
    assertAllClose([prompts[0]!.probability + prompts[1]!.probability], [1], { atol: 1e-5 });
  }));

Deno.test("measureDependence() leaves a recurrent policy's memory alone when it asks what if", () =>
  withTrained({
    ...BASE,
    policy: { kind: "actor_critic", hiddenSize: 8, featureProjectionDim: 8 },
  }, (trained, scenario) => {
    const options = { seed: 102, split: "validation", promptTokens: [500], every: 1 } as const;
    const alone = measureDependence(scenario, trained, { ...options, outstandingRequests: [] });
    const among = measureDependence(scenario, trained, options);
    assert.equal(alone.length, 3);
    assert.deepEqual(among.filter(({ feature }) => feature === "prompt_tokens"), alone);
    const other = measureDependence(scenario, trained, { ...options, split: "test" });
    assert.notDeepEqual(other, among, "other arrivals");
  }));
