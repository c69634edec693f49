/**
 * What is known of each trace, and how it is fitted.
 */
import { UsageError } from "../../lib/support/mod.ts";
import {
  fitLengthTable,
  type FittedWorkload,
  summarizeWorkload,
  type Workload,
} from "../../lib/workload/mod.ts";
import { fitConversations } from "./_fit_conversations.ts";
import { fitModulatedArrivals } from "./_fit_modulated_arrivals.ts";
import { fitTabulatedArrivals } from "./_fit_tabulated_arrivals.ts";

/** How one trace is fitted. */
export interface WorkloadRecipe extends Pick<FittedWorkload, "name" | "source" | "licence"> {
  /** File name of the trace at its source. */
  readonly traceFile: string;
  /** Windows in which trace and fit are compared. */
  readonly windowSeconds: readonly number[];
  /** Time stamps of the trace are multiples of this; 0 where they are exact. */
  readonly tickSeconds: number;
  /** Fits the model to the trace. */
  fit(trace: Workload): Pick<FittedWorkload, "arrivals" | "lengths" | "conversations">;
}

const AZURE_LICENCE =
  "CC-BY-4.0, Microsoft Azure. Statistics of the trace; the trace itself is not included";
const AZURE_ADDRESS =
  "https://github.com/Azure/AzurePublicDataset; Patel et al., Splitwise, ISCA 2024";

const recipes: readonly WorkloadRecipe[] = [
  {
    name: "azure_conversation_2023",
    source: "Azure LLM inference trace 2023, conversation service " +
      `(AzureLLMInferenceTrace_conv.csv), ${AZURE_ADDRESS}`,
    licence: AZURE_LICENCE,
    traceFile: "AzureLLMInferenceTrace_conv.csv",
    windowSeconds: [1, 10, 60, 600],
    tickSeconds: 0,
    fit: (trace) => ({
      arrivals: fitModulatedArrivals(trace.arrivalSeconds, rateOf(trace), {
        windowSeconds: [1, 2, 5, 10, 20, 30, 60, 120, 300],
        fitsGaps: true,
      }),
      lengths: fitLengthTable(trace.promptTokens, trace.outputTokens, {
        promptSteps: 500,
        ranges: 160,
        outputSteps: 30,
      }),
    }),
  },
  {
    name: "azure_code_2023",
    source: "Azure LLM inference trace 2023, code service (AzureLLMInferenceTrace_code.csv), " +
      AZURE_ADDRESS,
    licence: AZURE_LICENCE,
    traceFile: "AzureLLMInferenceTrace_code.csv",
    windowSeconds: [1, 10, 60, 600],
    tickSeconds: 0,
    fit: (trace) => ({
      arrivals: fitTabulatedArrivals(trace.arrivalSeconds, rateOf(trace)),
      // Prompts say next to nothing about outputs here: few ranges, with fine tails.
      lengths: fitLengthTable(trace.promptTokens, trace.outputTokens, {
        promptSteps: 400,
        ranges: 4,
        outputSteps: 250,
      }),
    }),
  },
  {
    name: "mooncake_conversation",
    source: "Mooncake conversation trace (conversation_trace.jsonl), " +
      "https://github.com/kvcache-ai/Mooncake; Qin et al., Mooncake, FAST 2025",
    licence: "Apache-2.0, Mooncake. Statistics of the trace; the trace itself is not included",
    traceFile: "conversation_trace.jsonl",
    windowSeconds: [10, 60, 600],
    tickSeconds: 3,
    fit: (trace) => ({
      arrivals: fitModulatedArrivals(trace.arrivalSeconds, rateOf(trace), {
        windowSeconds: [10, 20, 30, 60, 120, 300],
        fitsGaps: false,
      }),
      ...fitConversations(trace),
    }),
  },
];

/** The recipe of a name; the error lists the names there are. */
export function findRecipe(name: string): WorkloadRecipe {
  const recipe = recipes.find((candidate) => candidate.name === name);
  if (recipe !== undefined) return recipe;
  const names = recipes.map((known) => known.name).join(", ");
  throw new UsageError(
    `Cannot fit a workload: its name must be one of ${names}, current value is ${name}`,
  );
}

function rateOf(trace: Workload): number {
  return Number(summarizeWorkload(trace).ratePerSecond.toFixed(4));
}

/**
 * The trace as it is fitted. Requests that bear the same rounded time are set at equal distances
 * until the next one, so that counts in windows much longer than that are right.
 */
export function spreadTicks(trace: Workload, tickSeconds: number): Workload {
  if (tickSeconds === 0) return trace;
  const arrivalSeconds = Float64Array.from(trace.arrivalSeconds);
  let start = 0;
  for (let end = 1; end <= trace.count; end++) {
    const tick = trace.arrivalSeconds[start]!;
    if (trace.arrivalSeconds[end] === tick) continue;
    for (let i = start; i < end; i++) {
      arrivalSeconds[i] = tick + tickSeconds * (i - start) / (end - start);
    }
    start = end;
  }
  return { ...trace, arrivalSeconds };
}
