import {
  comparePolicies,
  type PolicyComparison,
  type RequestRow,
  requestsSchema,
  tableFromRows,
  trainingSchema,
} from "@signalbox/signalbox/metrics";
import {
  actionShares,
  type BatchBar,
  batchGantt,
  type Chart,
  countRoutingShares,
  type DependenceValue,
  differenceIntervals,
  latencyBars,
  latencyEcdf,
  learningCurves,
  policyDependence,
  rewardComponents,
  routingShares,
} from "@signalbox/signalbox/plot";
import { Rng } from "@signalbox/signalbox/random";
import type { Table } from "apache-arrow";

/** Policies of the sample, in order of colour, with their mean latency in seconds. */
const MEAN_SECONDS = {
  random: 9,
  round_robin: 8.6,
  power_of_two: 7,
  least_outstanding: 6.6,
  lor_tbt: 5,
  "ppo delta": 5.6,
  "ppo instant": 6.2,
  "ppo hybrid": 4.6,
} as const;

const POLICIES = Object.keys(MEAN_SECONDS) as (keyof typeof MEAN_SECONDS)[];
const REPLICAS = ["0 H100", "1 A100", "2 A40", "3 A40"];

/** Made-up latencies: gamma with a common part, so that policies are correlated as real ones are. */
export function sampleRequests(requestCount: number): Table {
  const rows: RequestRow[] = [];
  for (const evaluationSeed of [1, 2, 3]) {
    const shared = new Rng(evaluationSeed);
    const common = Float64Array.from({ length: requestCount }, () => shared.gamma(2, 0.5));
    for (const policy of POLICIES) {
      const rng = shared.stream(policy);
      for (let request = 0; request < requestCount; request++) {
        const e2e = MEAN_SECONDS[policy] * (0.3 + 0.4 * common[request]! + rng.gamma(1.5, 0.2));
        const arrival = request / 5;
        const outputTokens = 1 + rng.below(400);
        rows.push({
          trial_id: policy,
          policy,
          training_seed: policy.startsWith("ppo") ? 1 : null,
          evaluation_seed: evaluationSeed,
          request,
          arrival_seconds: arrival,
          prompt_tokens: 100 + rng.below(2000),
          output_tokens: outputTokens,
          replica: Math.min(rng.below(4), rng.below(4)),
          scheduled_seconds: arrival + 0.01,
          first_token_seconds: arrival + e2e / 10,
          completed_seconds: arrival + e2e,
          ttft_seconds: e2e / 10,
          e2e_seconds: e2e,
          tpot_seconds: outputTokens > 1 ? (0.9 * e2e) / (outputTokens - 1) : null,
          scheduling_delay_seconds: 0.01,
          execution_seconds: 0,
          model_execution_seconds: 0,
          preempted_seconds: 0,
          restarts: 0,
          priority: 0,
          ttft_slo_seconds: null,
          tpot_slo_seconds: null,
          e2e_slo_seconds: null,
          meets_slo: null,
        });
      }
    }
  }
  return tableFromRows(requestsSchema, rows);
}

/** Made-up training logs: three reward modes, three seeds. */
export function sampleTraining(updateCount: number): Table {
  const components = ["throughput", "latency", "balance_penalty"] as const;
  const rows = ["ppo delta", "ppo instant", "ppo hybrid"].flatMap((policy, mode) =>
    [1, 2, 3].flatMap((seed) => {
      const rng = new Rng(100 * mode + seed);
      return Array.from({ length: updateCount }, (_, update) => {
        const progress = 1 - Math.exp(-update / (updateCount / 4));
        return {
          trial_id: `${policy} ${seed}`,
          policy,
          seed,
          update,
          decisions: (update + 1) * 4096,
          simulated_seconds: update * 100,
          policy_loss: -0.01 * rng.uniform(),
          value_loss: 1 - 0.8 * progress + 0.1 * rng.uniform(),
          entropy: 1.386 - (0.5 + 0.1 * mode) * progress + 0.03 * rng.normal(),
          approx_kl: 0.004 + 0.004 * rng.uniform(),
          clip_fraction: 0.1 + 0.05 * rng.uniform(),
          explained_variance: update === 0 ? null : 0.8 * progress + 0.05 * rng.normal(),
          grad_norm: 0.3 + 0.2 * rng.uniform(),
          learning_rate: 3e-4 * (1 - update / updateCount),
          temperature: null,
          reward_mean: -1 + (0.5 + 0.1 * mode) * progress + 0.05 * rng.normal(),
          reward_std: 0.2,
          value_mean: 0,
          return_mean: 0,
          throughput: 5,
          latency_mean_seconds: 9 - (2 + mode) * progress + 0.2 * rng.normal(),
          action_shares: [0.4, 0.3, 0.2, 0.1],
          reward_throughput: 0.2 + 0.05 * rng.normal(),
          reward_latency: -0.6 + 0.3 * progress + 0.05 * rng.normal(),
          reward_balance_penalty: mode === 1 ? null : -0.2 + 0.1 * progress,
        };
      });
    })
  );
  return tableFromRows(trainingSchema(components), rows);
}

/** Made-up batches on four replicas of different speed. */
export function sampleBatches(): BatchBar[] {
  const rng = new Rng(5);
  return REPLICAS.flatMap((_, replica) => {
    const bars: BatchBar[] = [];
    let now = 0.2 * rng.uniform();
    while (now < 3) {
      const isPrefill = rng.uniform() < 0.25;
      const decodes = rng.below(12);
      const duration = (isPrefill ? 0.12 : 0.03) * (1 + replica) / 2;
      bars.push({
        replica,
        stage: 0,
        startSeconds: now,
        endSeconds: now + duration,
        requestCount: decodes + 1,
        prefillTokens: isPrefill ? 512 : 0,
        decodeTokens: isPrefill ? decodes : decodes + 1,
      });
      now += duration + (rng.uniform() < 0.06 ? 0.3 * rng.uniform() : 0);
    }
    return bars;
  });
}

/** Made-up probabilities: replica 0 likes long prompts, all like to be idle. */
function sampleDependence(): DependenceValue[] {
  const replicas = REPLICAS.map((_, replica) => replica);
  return [
    ...[64, 256, 1024, 4096].flatMap((value) =>
      replicas.map((replica) => {
        const first = Math.log2(value) / 20;
        const probability = replica === 0 ? first : (1 - first) / 3;
        return { feature: "prompt_tokens" as const, value, replica, probability };
      })
    ),
    ...[0, 4, 16, 64].flatMap((value) =>
      replicas.map((replica) => {
        const probability = 1 / (1 + value / (4 - replica));
        return { feature: "outstanding_requests" as const, value, replica, probability };
      })
    ),
  ];
}

/** Every kind of chart, with the comparison that two of them show. */
export function sampleCharts(): {
  readonly charts: Readonly<Record<string, Chart>>;
  readonly comparisons: readonly PolicyComparison[];
} {
  const requests = sampleRequests(1500);
  const training = sampleTraining(60);
  const options = { resampleCount: 200 };
  const comparisons = comparePolicies(requests, "least_outstanding", new Rng(1), options);
  const policies = ["ppo delta", "ppo instant", "ppo hybrid"];
  return {
    comparisons,
    charts: {
      learning_curves: learningCurves(training, { policies }),
      reward_components: rewardComponents(training),
      latency_ecdf: latencyEcdf(requests, { policies: POLICIES }),
      ttft_ecdf: latencyEcdf(requests, { policies: POLICIES, column: "ttft_seconds" }),
      latency_bars: latencyBars(comparisons, { policies: POLICIES }),
      action_shares: actionShares(comparisons, { replicaNames: REPLICAS }),
      batch_gantt: batchGantt(sampleBatches(), { replicaNames: REPLICAS }),
      baseline_differences: differenceIntervals(comparisons.map(({ policy, e2eMean }) => ({
        policy: "ppo hybrid",
        baseline: policy,
        statistic: "mean E2E",
        relative: e2eMean.relative,
      }))),
      routing_shares: routingShares(
        countRoutingShares(requests, { policies: ["least_outstanding", "ppo hybrid"] }),
        { replicaNames: REPLICAS },
      ),
      dependence: policyDependence(sampleDependence(), { replicaNames: REPLICAS }),
    },
  };
}
