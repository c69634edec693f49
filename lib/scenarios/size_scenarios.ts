/**
 * Clusters of other sizes than the scenarios', to train on and to try policies on that never saw
 * them.
 *
 * @module
 */
import seen16 from "../../data/scenarios/sizes/seen_16.json" with { type: "json" };
import seen2 from "../../data/scenarios/sizes/seen_2.json" with { type: "json" };
import seen8 from "../../data/scenarios/sizes/seen_8.json" with { type: "json" };
import unseen16 from "../../data/scenarios/sizes/unseen_16.json" with { type: "json" };
import unseen2 from "../../data/scenarios/sizes/unseen_2.json" with { type: "json" };
import unseen3 from "../../data/scenarios/sizes/unseen_3.json" with { type: "json" };
import unseen6 from "../../data/scenarios/sizes/unseen_6.json" with { type: "json" };
import unseen8 from "../../data/scenarios/sizes/unseen_8.json" with { type: "json" };

/** Files of `data/scenarios/sizes`, smallest cluster first: those trained on, then the others. */
export const SIZE_FILES: readonly { readonly name: string }[] = [
  seen2,
  seen8,
  seen16,
  unseen2,
  unseen3,
  unseen6,
  unseen8,
  unseen16,
];

/** Names of the clusters by size; each is a scenario that `getScenario` knows. */
export const sizeScenarioNames: readonly string[] = SIZE_FILES.map(({ name }) => name);
