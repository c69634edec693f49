/**
 * Draws an embedded workload beside its trace: `docs/workloads/<name>.png`.
 *
 *     deno run -A data/tools/plot_workload.ts azure_code_2023 AzureLLMInferenceTrace_code.csv
 */
import { type Chart, makeChart, renderPng } from "../../lib/plot/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { UsageError, writeFileAtomic } from "../../lib/support/mod.ts";
import { fittedWorkloadSchema, generateWorkload, readTrace } from "../../lib/workload/mod.ts";
import {
  type Comparison,
  dependencePanel,
  dispersionPanel,
  ecdfPanel,
  hitRatePanel,
  ratePanel,
} from "./_workload_panels.ts";
import { findRecipe, spreadTicks } from "./_workload_recipes.ts";

const DRAWS = 10;

const [name, path, ...rest] = Deno.args;
if (name === undefined || path === undefined || rest.length > 0) {
  throw new UsageError("Cannot plot a workload: usage is plot_workload.ts NAME TRACE");
}
const { windowSeconds, tickSeconds } = findRecipe(name);
const trace = spreadTicks(await readTrace(path), tickSeconds);
const config = fittedWorkloadSchema.parse({ kind: "fitted", name });
const drawn = Array.from(
  { length: DRAWS },
  (_, seed) => generateWorkload(config, new Rng(seed), { count: trace.count }),
);
const comparison: Comparison = { trace, drawn };
const rows = [
  [
    ecdfPanel(comparison, "promptTokens", "prompt tokens"),
    ecdfPanel(comparison, "outputTokens", "output tokens"),
  ],
  [
    dependencePanel(comparison),
    trace.prefixHashes === undefined
      ? ecdfPanel(comparison, "gapSeconds", "seconds between arrivals")
      : hitRatePanel(comparison),
  ],
  [dispersionPanel(comparison, windowSeconds[0]!), ratePanel(comparison)],
];
const chart = makeChart({
  title: {
    text: name,
    subtitle: `${trace.count} requests of the trace; ${DRAWS} draws of the fit`,
  },
  vconcat: rows.map((hconcat) => ({ hconcat })),
} as Chart);
const folder = new URL("../../docs/workloads/", import.meta.url).pathname;
await Deno.mkdir(folder, { recursive: true });
await writeFileAtomic(`${folder}${name}.png`, await renderPng(chart, { scale: 1.25 }));
