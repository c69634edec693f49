import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  openScenario,
  type Scenario,
  type TrainedPolicy,
  trainPolicy,
} from "../../lib/training/mod.ts";

/** Calls `body` with a policy trained from seed 1, and disposes of it. */
export async function withTrained(
  input: ExperimentInput,
  body: (trained: TrainedPolicy, scenario: Scenario) => Promise<void> | void,
): Promise<void> {
  const scenario = await openScenario(parseExperimentConfig(input));
  const trained = await trainPolicy(scenario, { rng: new Rng(1) });
  try {
    await body(trained, scenario);
  } finally {
    trained.policy.dispose();
  }
}
