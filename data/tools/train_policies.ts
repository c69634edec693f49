// deno-lint-ignore-file no-console
/**
 * Trains the policies of `data/policies` and says what they reach on validation arrivals.
 *
 *     deno run -A data/tools/train_policies.ts [NAME...]
 *
 * Same seeds, same bytes. Without a name all of them; a few minutes each.
 */
import stringify from "json-stringify-pretty-compact";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { summarizeRuns } from "../../lib/metrics/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { getScenario, scenarioSettings, scenarioTask } from "../../lib/scenarios/mod.ts";
import { UsageError, writeFileAtomic } from "../../lib/support/mod.ts";
import {
  encodeCheckpoint,
  evaluatePolicies,
  heuristicEntry,
  openScenario,
  policyCheckpoint,
  policyEntry,
  resizeTrainedPolicy,
  type TrainedPolicy,
  trainPolicy,
  useSimdBackend,
} from "../../lib/training/mod.ts";

/** Loads that training episodes draw theirs from, in percent of the capacity. */
const LOADS = [50, 90] as const;

/** Never the seeds of a test. */
const VALIDATION = { seeds: [101, 102, 103, 104], requests: 2000 };

interface Recipe {
  readonly description: string;
  /** Scenarios trained on; the first is the experiment's own. */
  readonly scenarios: readonly string[];
  readonly seed: number;
  readonly decisions: number;
  /** Scenarios and loads in percent that validation figures are given for. */
  readonly validation: readonly (readonly [scenario: string, load: number])[];
}

const GENERAL_SCENARIOS = [
  ...["mixed", "two_speed", "homogeneous", "slowdown", "bursty", "long_context"],
  ...["seen_2", "seen_8", "seen_16"],
];

const RECIPES: Readonly<Record<string, Recipe>> = {
  mixed: {
    description: "Trained on the scenario mixed, at loads of 50 to 90 % of its capacity.",
    scenarios: ["mixed"],
    seed: 1,
    decisions: 200_000,
    validation: [["mixed", 50], ["mixed", 75], ["mixed", 90]],
  },
  general: {
    description:
      "Trained on all scenarios and three more clusters, of 2 to 16 replicas, at loads of 50 to 90 %.",
    scenarios: GENERAL_SCENARIOS,
    seed: 1,
    decisions: 300_000,
    validation: GENERAL_SCENARIOS.map((name) => [name, 75]),
  },
};

async function train(
  { scenarios, seed, decisions }: Recipe,
): Promise<{ trained: TrainedPolicy; update: number; decisions: number }> {
  const definitions = scenarios.map(getScenario);
  const config = parseExperimentConfig({
    ...scenarioSettings(definitions[0]!, 75),
    seed,
    training: { decisions, mixture: definitions.map((each) => scenarioTask(each, ...LOADS)) },
  });
  let done = { update: 0, decisions: 0 };
  const trained = await trainPolicy(await openScenario(config), {
    rng: new Rng(seed),
    onUpdate: ({ update, decisions, updateCount, latencyMeanSeconds }) => {
      done = { update, decisions };
      if (update % 20 === 0) {
        console.log(`update ${update}/${updateCount}: ${latencyMeanSeconds} s`);
      }
    },
  });
  return { trained, ...done };
}

/** Latencies of the policy and of least outstanding requests on the same arrivals. */
async function validate(trained: TrainedPolicy, scenario: string, load: number) {
  const opened = await openScenario(parseExperimentConfig({
    ...scenarioSettings(getScenario(scenario), load),
    evaluation: VALIDATION,
  }));
  const { replicas: { length: count } } = opened;
  const entries = [
    policyEntry(resizeTrainedPolicy(trained, count), "policy", "greedy"),
    heuristicEntry(opened, "least_outstanding"),
  ];
  const runs = await evaluatePolicies(opened, entries, { split: "validation" });
  const [policy, reference] = entries.map(({ label }) => {
    const own = runs.filter((run) => run.label === label);
    const { e2eMeanSeconds, e2eP99Seconds, ttftMeanSeconds } = summarizeRuns(own, count);
    const round = (seconds: number) => Number(seconds.toPrecision(4));
    return {
      e2eMeanSeconds: round(e2eMeanSeconds),
      e2eP99Seconds: round(e2eP99Seconds),
      ttftMeanSeconds: round(ttftMeanSeconds),
    };
  });
  return { scenario, load, policy, leastOutstanding: reference };
}

const unknown = Deno.args.find((name) => !Object.hasOwn(RECIPES, name));
if (unknown !== undefined) {
  throw new UsageError(
    `Cannot train: names must be of ${
      Object.keys(RECIPES).join(", ")
    }, current value is ${unknown}`,
  );
}
await useSimdBackend();
for (const name of Deno.args.length > 0 ? Deno.args : Object.keys(RECIPES)) {
  const recipe = RECIPES[name]!;
  const { trained, update, decisions } = await train(recipe);
  const file = (extension: string) => new URL(`../policies/${name}.${extension}`, import.meta.url);
  await writeFileAtomic(
    file("safetensors").pathname,
    encodeCheckpoint(policyCheckpoint(trained, { update, decisions })),
  );
  const results = [];
  for (const [scenario, load] of recipe.validation) {
    results.push(await validate(trained, scenario, load));
    console.log(JSON.stringify(results.at(-1)));
  }
  const { description, scenarios, seed } = recipe;
  const provenance = {
    name,
    description,
    license: "MIT",
    command: `deno run -A data/tools/train_policies.ts ${name}`,
    seed,
    update,
    decisions,
    scenarios,
    loads: LOADS,
    validation: { ...VALIDATION, split: "validation", results },
  };
  await writeFileAtomic(file("json").pathname, `${stringify(provenance, { maxLength: 100 })}\n`);
  trained.policy.dispose();
}
