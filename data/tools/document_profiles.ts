/**
 * Writes `docs/profiles.md` from the shipped profiles and Vidur's recorded tables.
 *
 *     deno run -A data/tools/document_profiles.ts ../shared
 */
import { getModel } from "../../lib/hardware/mod.ts";
import { UsageError, writeFileAtomic } from "../../lib/support/mod.ts";
import {
  compareVidurTables,
  readVidurProfile,
  readVidurTables,
  shippedProfiles,
  type TableComparison,
} from "../../lib/timing/mod.ts";
import { comparisonTable, profileTable } from "./_profiles_page.ts";

const MODEL = "meta-llama/Llama-2-70b-hf";
const ATTENTION = "profiling/attention/a100_Llama-2-70b_tp2_flash_attention.csv";

/** The recorded run whose tables all come of public profiles. */
async function compare(shared: string): Promise<TableComparison[]> {
  const golden = `${shared}/golden/vidur`;
  const { tables } = JSON.parse(
    await Deno.readTextFile(`${golden}/70b-tp2-pp2-vllm/case.json`),
  ) as { tables: Record<string, string> };
  const profile = await readVidurProfile({
    mlp: `${shared}/profiling/compute/a100/${MODEL}/mlp.csv`,
    attention: `${shared}/${ATTENTION}`,
    allReduce: `${shared}/profiling/network/a100_dgx/all_reduce.csv`,
    sendRecv: `${shared}/profiling/network/a100_dgx/send_recv.csv`,
  }, { model: getModel(MODEL), tensorParallel: 2 });
  return compareVidurTables(
    profile,
    await readVidurTables({
      compute: `${golden}/${tables["compute"]}`,
      decode: `${golden}/${tables["attn_decode"]}`,
      prefill: `${golden}/${tables["attn_prefill"]}`,
    }, 64),
  );
}

const [shared, ...rest] = Deno.args;
if (shared === undefined || rest.length > 0) {
  throw new UsageError("Cannot document profiles: usage is document_profiles.ts SHARED_FOLDER");
}
const profiles = shippedProfiles();
const page = `# Timing profiles

How long a batch takes decides everything that the simulator says. \`cluster.timer\` (or
\`replicas[].timer\` for one group) names where the times come from:

| \`kind\` | what |
| --- | --- |
| \`analytic\` | the default: a roofline with twelve coefficients a GPU, for any model; \`efficiency\` overrides some |
| \`profile\` | the fitted profile of the replica's GPU, model and tensor parallelism, or an error |
| \`auto\` | the profile where there is one, the analytic timer where not |

The default does not look for profiles: the results of a configuration must not change because a file
was added. \`deno task simulate\` prints which timer every replica has, and its stated error.

\`\`\`sh
deno task profile list                                   # the table below
deno task profile show a100 Llama-2-70b-hf               # one profile, operation by operation
deno task simulate --timer profile                       # use the shipped ones
deno task profile fit FOLDER... --gpu a100 --model meta-llama/Llama-2-7b-hf --out profiles
deno task simulate --profile profiles/a100_Llama-2-7b-hf.json
deno task simulate --model-config config.json --gpu-spec gpu.json --set 'cluster.replicas=[{"gpu":"mine"}]'
\`\`\`

\`fit\` reads the profiling tables of Vidur (\`mlp.csv\`, \`attention.csv\`, \`all_reduce.csv\`,
\`send_recv.csv\`, \`cpu_overheads.csv\`) or LLMServingSim (\`dense.csv\`, \`per_sequence.csv\`,
\`attention.csv\`, \`skew_fit.csv\`). \`--model-config\` takes the \`config.json\` of a Hugging Face
repository, mixtures of experts included; \`--gpu-spec\` a JSON object with \`name\`,
\`fp16FlopsPerSecond\`, \`memoryBytes\`, \`memoryBandwidthBytesPerSecond\`,
\`linkBandwidthBytesPerSecond\` and \`efficiency\`: coefficients, or the GPU of the catalogue to
borrow them from.

## Shipped profiles

Relative errors \`|fitted / measured - 1|\` in percent, median / 90th percentile, against the measured
tables. **layer**: all operations of a layer but attention, summed. **held out**: the largest median
error of any of them at every fifth measured point, each time with a curve fitted to the others.
**attention**: of one kernel for prompts and decodes, or of prompts, decodes; at measured points that
the file does not hold. **analytic**: not measured, the analytic timer's term stands in; its errors
stand in \`data/hardware/efficiencies.json\`.

${profileTable(profiles)}

Made by \`deno run -A data/tools/fit_profiles.ts ../shared\`; this page by
\`deno run -A data/tools/document_profiles.ts ../shared\`.

## What is measured and what is assumed

- Measured, on an A40, A100 and H100 by Vidur (MIT) and on an RTX 4090 and RTX PRO 6000 by
  LLMServingSim (MIT): every operation of a layer but attention, at every tensor-parallel degree
  above; transfers between stages on A40, A100 and H100; all-reduces on A100 and H100; output matrix
  and sampling on the RTX cards.
- Attention was measured for the RTX cards and, on the A100, for shards of 32 query and 4 key/value
  heads only (Llama-2-70b, Llama-3-70B and CodeLlama-34b on two GPUs). Everywhere else it is the
  analytic term, whose coefficients were fitted to that one A100 table; for A40 and H100 they are
  the A100's fractions of the peak, unmeasured.
- The output matrix and sampling of Vidur's profiles, and the CPU time of an iteration of all of
  them, are the analytic timer's; \`data/hardware/efficiencies.json\` says what those rest on.
- A curve has at most 16 knots for a matrix product and 8 for anything else, and never falls, though
  measured times sometimes do where tokens are added.
- Decode attention of the A100 has a kink between 16 and 32 decodes of short contexts, where the
  kernel starts to split contexts and gets faster; the fitted surface stays flat there. Hence its
  90th percentile.
- Beyond the measured tokens times go on along the line through the last point and the one at half
  its count; attention at its last slope to 64 times the last knot, and constant from there.
- Several prompts in a batch are looked up as one of as many query-key pairs; times are
  non-decreasing in the chunk and context of a single prompt and in every context of a decode.

## Interpolation beside Vidur's regressors

Vidur trains random forests on the same tables. Times interpolated from the whole tables, not from
the fitted profile, against the tables that its predictor made for ${MODEL} on two A100, in percent
of the latter: \`deno task profile check ../shared/golden/vidur/70b-tp2-pp2-vllm --profiling
../shared/profiling --attention ../shared/${ATTENTION}\`.

${comparisonTable(await compare(shared))}

## Speed

\`deno run -A bench/timers.ts\` loads shipped profiles and times batches beside the analytic timer.
`;
await writeFileAtomic(new URL("../../docs/profiles.md", import.meta.url).pathname, page);
