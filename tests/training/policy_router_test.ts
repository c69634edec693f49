import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { Simulator } from "../../lib/simulator/mod.ts";
import {
  evaluatePolicies,
  loadTrainedPolicy,
  openScenario,
  policyCheckpoint,
  type PolicyDecision,
  policyEntry,
  PolicyRouter,
  saveCheckpoint,
  type Scenario,
  type TrainedPolicy,
  useSimdBackend,
} from "../../lib/training/mod.ts";
import assert from "node:assert/strict";
import { withTrained } from "./_with_trained.ts";

await useSimdBackend();

const INPUT: ExperimentInput = {
  training: { environments: 2, decisions: 64, episodeRequests: 50 },
  ppo: { learningRate: 5e-3, rolloutLength: 16, minibatchSize: 16 },
  policy: { kind: "actor_critic", hiddenSize: 8, featureProjectionDim: 8, boundedLogits: false },
  evaluation: { seeds: [1, 2], requests: 80 },
};

/** Replicas of all requests of all evaluation runs. */
async function routes(
  scenario: Scenario,
  trained: TrainedPolicy,
  sampling: "greedy" | "sampled",
): Promise<number[]> {
  const runs = await evaluatePolicies(scenario, [policyEntry(trained, "policy", sampling)]);
  return runs.flatMap(({ result }) => [...result.outcomes.replica]);
}

Deno.test("PolicyRouter routes as before once its policy was saved and loaded", async () => {
  await withTrained(INPUT, async (trained, scenario) => {
    const folder = await Deno.makeTempDir();
    try {
      const checkpoint = policyCheckpoint(trained, { update: 2, decisions: 64 });
      await saveCheckpoint(folder, checkpoint, { keepLast: 1 });
      const loaded = await loadTrainedPolicy(folder);
      for (const sampling of ["greedy", "sampled"] as const) {
        const expected = await routes(scenario, trained, sampling);
        assert.deepEqual(await routes(scenario, loaded, sampling), expected);
        // Argmax of a policy that has learnt next to nothing may well always be the same.
        if (sampling === "sampled") assert.ok(new Set(expected).size > 1);
      }
      loaded.policy.dispose();

      await saveCheckpoint(folder, { ...checkpoint, schemaHash: "another" }, { keepLast: 1 });
      await assert.rejects(
        loadTrainedPolicy(folder),
        {
          name: "CheckpointError",
          message: /must have the schema \w{16}, current value is another/,
        },
      );
      await saveCheckpoint(folder, { ...checkpoint, weights: {} }, { keepLast: 1 });
      await assert.rejects(
        loadTrainedPolicy(folder),
        { name: "CheckpointError", message: /Cannot set weights: .* current value is missing/ },
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

Deno.test("PolicyRouter draws at the temperature of its training; argmax ignores it", async () => {
  await withTrained(INPUT, async (trained, scenario) => {
    const { config } = trained;
    // Far above every logit: draws become uniform, the most probable replica stays.
    const temperature = { ...config.training.temperature, base: 1000, min: 1000, max: 1000 };
    const hot = (mode: "off" | "document"): TrainedPolicy => ({
      ...trained,
      config: {
        ...config,
        training: { ...config.training, temperature: { ...temperature, mode } },
      },
    });
    const cold = await routes(scenario, trained, "sampled");
    assert.deepEqual(await routes(scenario, hot("off"), "sampled"), cold);
    assert.notDeepEqual(await routes(scenario, hot("document"), "sampled"), cold);
    const greedy = await routes(scenario, trained, "greedy");
    assert.deepEqual(await routes(scenario, hot("document"), "greedy"), greedy);
  });
});

Deno.test("PolicyRouter remembers within a run, and nothing of it in the next", async () => {
  const input = {
    ...INPUT,
    training: { ...INPUT.training, temperature: { mode: "pulse" } },
  } as const;
  await withTrained(input, (trained, scenario) => {
    const { policy } = trained;
    const workload = scenario.evaluationWorkload(1);
    const { arrivalSeconds } = workload;
    const router = new PolicyRouter(trained, { sampler: new Rng(5) });
    const first: PolicyDecision[] = [];
    for (let run = 0; run < 2; run++) {
      const simulator = new Simulator(workload, scenario.replicas, {
        observers: [router.observer],
      });
      router.begin({ arrivalSeconds, oracle: simulator.oracle });
      let hiddenStates = policy.initialHiddenStates(1);
      let decisions = 0;
      simulator.run((decision) => {
        const action = router.route(decision);
        const { observation, logProbabilities, value } = router.lastDecision!;
        const expected = policy.predict(observation, { hiddenStates });
        assert.equal(value, expected.values[0]);
        ({ hiddenStates } = expected);
        if (decisions++ === 0) {
          first.push({ observation: observation.slice(), logProbabilities, value });
        }
        return action;
      });
      const [forgetful] = policy.predict(router.lastDecision!.observation, {
        hiddenStates: policy.initialHiddenStates(1),
      }).values;
      assert.notEqual(router.lastDecision!.value, forgetful, "the past matters");
    }
    assert.deepEqual(first[1], first[0]);
  });
});

Deno.test("PolicyRouter never chooses a replica that is down", async () => {
  await withTrained(INPUT, async (trained, scenario) => {
    const [favourite] = await routes(scenario, trained, "greedy");
    const event = { kind: "fail", replica: favourite!, atFraction: [0, 0] };
    const failing = await openScenario(
      parseExperimentConfig({ ...scenario.config, incidents: { events: [event] } }),
    );
    const chosen = await routes(failing, trained, "greedy");
    assert.ok(chosen.every((replica) => replica >= 0 && replica !== favourite));
  });
});

Deno.test("PolicyRouter refuses statistics that are not final", async () => {
  await withTrained(INPUT, (trained) => {
    const { normalizer } = trained;
    const drifting = {
      ...trained,
      normalizer: Object.create(normalizer, { frozen: { value: false } }),
    };
    assert.throws(
      () => new PolicyRouter(drifting),
      { name: "UsageError", message: /its normaliser must be frozen/ },
    );
    return Promise.resolve();
  });
});
