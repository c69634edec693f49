/** One cell of a study: from the requests of its trials to a comparison on disk. */
import { concatTables, readArrow } from "../metrics/mod.ts";
import { saveTrial } from "../sweep/mod.ts";
import type { CellComparison, StudyCell } from "../study/mod.ts";
import { writeFileAtomic } from "../support/mod.ts";
import {
  loadTrainedPolicy,
  openScenario,
  type TrainedPolicy,
  useSimdBackend,
} from "../training/mod.ts";
import { compareRequests } from "./_comparison.ts";
import { writeComparison } from "./_comparison_report.ts";
import type { PolicyGroup } from "./_policies.ts";

/** A cell whose trials are finished; plain data, so that a worker can be sent it. */
export interface CellTask {
  /** The cell. */
  readonly cell: StudyCell;
  /** The baseline that everything is compared with. */
  readonly reference: string;
  /** Where the trials lie. */
  readonly trialsFolder: string;
  /** Where to put the cell's folder. */
  readonly cellsFolder: string;
}

/**
 * Compares the policies of a cell and writes `cellsFolder/<cell>/` as `deno task compare` writes a
 * comparison, with `comparison.json` for {@linkcode readCellComparison} beside it.
 */
export async function compareCell(task: CellTask): Promise<void> {
  const { cell, reference, trialsFolder, cellsFolder } = task;
  const { config, name, scenario, load, title, trials } = cell;
  const tables = await Promise.all(
    trials.map(({ id }) => readArrow(`${trialsFolder}/${id}/requests.arrow`)),
  );
  const groups = await loadGroups(cell, trialsFolder);
  const comparison = compareRequests(concatTables(tables), reference, groups);
  const { seeds, requests } = config.evaluation;
  await saveTrial(cellsFolder, name, async (folder) => {
    await writeComparison(folder, await openScenario(config), comparison, {
      title,
      subtitle:
        `${load} % of the capacity under ${reference}. ${seeds.length} runs of ${requests} ` +
        `requests (test, seeds ${seeds.join(", ")}).`,
      split: "test",
    });
    const { comparisons, againstBaselines } = comparison;
    const found = { scenario, load, comparisons, againstBaselines: [...againstBaselines] };
    await writeFileAtomic(`${folder}/comparison.json`, `${JSON.stringify(found)}\n`);
  });
  for (const { members } of groups) members.forEach(({ policy }) => policy.dispose());
}

/** What {@linkcode compareCell} found. */
export async function readCellComparison(folder: string): Promise<CellComparison> {
  const text = await Deno.readTextFile(`${folder}/comparison.json`);
  // JSON has no NaN: an end of an interval that is unknown was written as null.
  const isEnd = (key: string): boolean => key === "low" || key === "high";
  const { againstBaselines, ...found } = JSON.parse(
    text,
    (key, value) => value === null && isEnd(key) ? Number.NaN : value,
  );
  return { ...found, againstBaselines: new Map(againstBaselines) };
}

async function loadGroups(cell: StudyCell, trialsFolder: string): Promise<PolicyGroup[]> {
  await useSimdBackend();
  const learned = cell.trials.filter(({ policy }) => policy === "ppo");
  const groups: PolicyGroup[] = [];
  for (const [label, trials] of Map.groupBy(learned, (trial) => trial.label)) {
    const members: TrainedPolicy[] = [];
    for (const { id } of trials) {
      members.push(await loadTrainedPolicy(`${trialsFolder}/${id}/policy.safetensors`));
    }
    const actingLabels = trials[0]!.config.evaluation.sampling.map((sampling) =>
      sampling === "greedy" ? label : `${label} (sampled)`
    );
    groups.push({ label, actingLabels, members });
  }
  return groups;
}
