/**
 * Fits an embedded workload to its trace and writes `data/workloads/<name>.json`.
 *
 *     deno run -A data/tools/fit_workload.ts azure_code_2023 AzureLLMInferenceTrace_code.csv
 *
 * docs/workloads.md says what is modelled and how closely; `plot_workload.ts` draws it.
 */
import { Rng } from "../../lib/random/mod.ts";
import { UsageError, writeFileAtomic } from "../../lib/support/mod.ts";
import { fittedWorkloadFileSchema, generateFitted, readTrace } from "../../lib/workload/mod.ts";
import { findRecipe, spreadTicks } from "./_workload_recipes.ts";
import { workloadStatistics } from "./_workload_statistics.ts";

const SIMULATED_TRACES = 20;

const [name, path, ...rest] = Deno.args;
if (name === undefined || path === undefined || rest.length > 0) {
  throw new UsageError("Cannot fit a workload: usage is fit_workload.ts NAME TRACE");
}
const recipe = findRecipe(name);
const trace = spreadTicks(await readTrace(path), recipe.tickSeconds);
const { arrivals, ...requests } = recipe.fit(trace);
const fitted = { name, arrivals, ...requests };
const simulated = Array.from(
  { length: SIMULATED_TRACES },
  (_, seed) =>
    generateFitted(fitted, { overLength: "refuse" }, new Rng(seed), { count: trace.count }),
);
const document = fittedWorkloadFileSchema.parse({
  name,
  source: recipe.source,
  licence: recipe.licence,
  method: `deno run -A data/tools/fit_workload.ts ${name} ${recipe.traceFile}`,
  arrivals,
  trace: workloadStatistics([trace], recipe),
  simulated: workloadStatistics(simulated, recipe),
  ...requests,
});
const text = JSON.stringify(document, null, 2).replaceAll(
  /\[[\s\d,.e-]+\]/g,
  (list) => list.replaceAll(/\s+/g, ""),
);
await writeFileAtomic(
  new URL(`../workloads/${name}.json`, import.meta.url).pathname,
  `${text}\n`,
);
