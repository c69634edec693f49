/** For each key of a workload, a change that must have an effect. */
import type { JsonValue } from "../../lib/config/mod.ts";
import { type KeyGroup, type Keys, prefixed } from "./_key_group.ts";

const FITTED = { kind: "fitted" };
const CLASSES = [{ name: "a", share: 1, e2eSloSeconds: 9 }, { name: "b", share: 1 }];
const GAPS = { logGaps: [-3, -1, 0, 2], likeness: 0.5, memoryGaps: 10 };
const TABLE = {
  promptTokens: [10, 50, 900],
  outputTokensByPrompt: [
    { maxPromptTokens: 60, outputTokens: [1, 50] },
    { maxPromptTokens: 900, outputTokens: [60, 90] },
  ],
};
/**
 * Every key of a workload once, but for the names of classes.
 *
 * @param base A synthetic workload.
 * @param trace File with a trace; other.csv lies beside it.
 */
export function workloadKeyGroups(base: WorkloadBlock, trace: string): KeyGroup[] {
  const replay = { kind: "trace", path: trace };
  return [
    { look: "workload", to: { "workload.kind": FITTED } },
    {
      look: "workload",
      given: { workload: FITTED },
      to: {
        "workload{fitted}.name": "azure_code_2023",
        "workload{fitted}.ratePerSecond": 50,
      },
    },
    {
      look: "workload",
      given: { workload: replay },
      to: {
        "workload{trace}.path": trace.replace("trace.csv", "other.csv"),
        "workload{trace}.ratePerSecond": 50,
        "workload{trace}.trainFraction": 0.4,
        "workload{trace}.validationFraction": 0.3,
      },
    },
    ...commonWorkloadKeys("fitted", FITTED),
    ...commonWorkloadKeys("synthetic", base),
    ...commonWorkloadKeys("trace", replay),
    {
      look: "workload",
      to: {
        "workload{synthetic}.arrivals.kind": { kind: "static" },
        "workload{synthetic}.lengths.kind": { kind: "fixed" },
      },
    },
    arrivals("poisson", { ratePerSecond: 25 }, { ratePerSecond: 5, vidurClip: true }),
    arrivals("gamma", { ratePerSecond: 25 }, { ratePerSecond: 5, cv: 2 }),
    arrivals("static", {}, { intervalSeconds: 1 }),
    arrivals("modulated", { ratePerSecond: 25, cv: 1, modulations: [{ std: 1, seconds: 5 }] }, {
      ratePerSecond: 5,
      cv: 2,
      "modulations.0.std": 2,
      "modulations.0.seconds": 50,
    }),
    arrivals("tabulated", { ratePerSecond: 25, gaps: GAPS }, {
      ratePerSecond: 5,
      "gaps.logGaps": [-9, 0],
      "gaps.likeness": 0.1,
      "gaps.memoryGaps": 1,
    }),
    lengths("fixed", {}, { promptTokens: 9, outputTokens: 9 }),
    lengths("uniform", TOTALS, { minTokens: 900, maxTokens: 9000, promptToOutputRatio: 9 }),
    lengths("zipf", TOTALS, {
      minTokens: 900,
      maxTokens: 9000,
      promptToOutputRatio: 9,
      theta: 0.2,
    }),
    lengths("empirical", { table: TABLE }, {
      "table.promptTokens": [10, 60, 70],
      "table.outputTokensByPrompt.0.maxPromptTokens": 500,
      "table.outputTokensByPrompt.0.outputTokens": [1, 2],
    }),
  ];
}

type WorkloadBlock = { readonly [key: string]: JsonValue };

/** Cases of the keys that every kind of workload has. */
function commonWorkloadKeys(
  kind: string,
  workload: WorkloadBlock,
): KeyGroup[] {
  const id = `workload{${kind}}`;
  return [
    {
      look: "workload",
      given: { workload: { ...workload, overLength: "drop" } },
      to: {
        [`${id}.maxTokens`]: 300,
      },
    },
    {
      look: "workload",
      given: { workload: { ...workload, maxTokens: 300, overLength: "drop" } },
      to: { [`${id}.overLength`]: "clip_prompt" },
    },
    {
      look: "workload",
      given: { workload: { ...workload, classes: CLASSES } },
      to: {
        [`${id}.classes.0.share`]: 5,
        [`${id}.classes.0.priority`]: 3,
        [`${id}.classes.0.ttftSloSeconds`]: 3,
        [`${id}.classes.0.tpotSloSeconds`]: 3,
        [`${id}.classes.0.e2eSloSeconds`]: 3,
      },
    },
  ];
}

function arrivals(kind: string, process: Keys, to: Keys): KeyGroup {
  return {
    look: "workload",
    given: { "workload.arrivals": { kind, ...process } },
    to: prefixed(`workload{synthetic}.arrivals{${kind}}.`, to),
  };
}

function lengths(kind: string, given: Keys, to: Keys): KeyGroup {
  return {
    look: "workload",
    given: { "workload.lengths": { kind, ...given } },
    to: prefixed(`workload{synthetic}.lengths{${kind}}.`, to),
  };
}

const TOTALS = { minTokens: 300, maxTokens: 1500, promptToOutputRatio: 3 };
