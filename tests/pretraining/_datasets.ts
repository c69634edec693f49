import { type ExperimentInput, parseExperimentConfig } from "../../lib/config/mod.ts";
import {
  collectDemonstrations,
  type CollectOptions,
  type DemonstrationManifest,
  type Demonstrations,
  readDemonstrations,
} from "../../lib/pretraining/mod.ts";
import { openScenario } from "../../lib/training/mod.ts";
import { withFolder } from "../_helpers.ts";

/** Three equal replicas and the layout with running work in it. */
export const SMALL = {
  cluster: { replicas: [{ gpu: "a100", count: 3 }] },
  state: { layout: "signalbox" },
  policy: { kind: "mlp", hiddenSizes: [32] },
  training: { episodeRequests: 200 },
  evaluation: { seeds: [1], requests: 50 },
} satisfies ExperimentInput;

/** Collects and reads a dataset of {@linkcode SMALL} with some keys changed. */
export async function collect(
  options: CollectOptions,
  input: ExperimentInput = {},
): Promise<Demonstrations> {
  const scenario = await openScenario(parseExperimentConfig({ ...SMALL, ...input }));
  let data: Demonstrations | undefined;
  await withFolder(async (folder) => {
    await collectDemonstrations(scenario, folder, options);
    data = await readDemonstrations(folder);
  });
  return data!;
}

/** A dataset of two replicas made by hand; only what targets and agreement read. */
export function handMade(
  episodes: readonly {
    readonly router: string;
    readonly scores: readonly (readonly number[])[] | null;
    readonly actions: readonly number[];
  }[],
): Demonstrations {
  const rows = episodes.flatMap(({ scores, actions }) =>
    actions.map((action, i) => ({ action, scores: scores?.[i] ?? [NaN, NaN] }))
  );
  let row = 0;
  const episodeRows = episodes.map(({ actions }) => (row += actions.length) - actions.length);
  const manifest = {
    replicaCount: 2,
    episodes: episodes.map(({ router, scores, actions }) => ({
      router,
      rateScale: 1,
      workloadSeed: 0,
      decisionCount: actions.length,
      hasScores: scores !== null,
    })),
  } as unknown as DemonstrationManifest;
  return {
    manifest,
    episodeRows,
    observations: new Float32Array(0),
    actionMasks: new Uint8Array(2 * rows.length).fill(1),
    actions: Int32Array.from(rows, ({ action }) => action),
    scores: Float64Array.from(rows.flatMap(({ scores }) => scores)),
  };
}
