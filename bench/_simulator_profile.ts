/** Where a simulation spends its time, from V8's sampling profiler. */
import { Session } from "node:inspector";
import { type RouteFunction, Simulator } from "../lib/simulator/mod.ts";
import type { GoldenScenario } from "./_golden_workload.ts";

/** Share of one part of the simulator in its time. */
export interface ProfileShare {
  readonly name: string;
  readonly share: number;
}

/** Parts by the function or, failing that, the file that a sample was taken in. */
const PARTS: readonly (readonly [part: string, pattern: RegExp])[] = [
  ["per-request metrics", /#finishStage|#produceFirstToken|#finishRequest|#reportStage/],
  ["timing", /lib\/timing\//],
  ["batching", /lib\/simulator\/(schedulers\/|batch|replica_state|waiting_queue)|#form|#advance/],
  ["routing", /lib\/routing\/|live_view/],
  ["events", /lib\/simulator\//],
];

/** Profiles one run. */
export async function profileSimulation(
  { workload, replicas }: GoldenScenario,
  createRoute: () => RouteFunction,
): Promise<ProfileShare[]> {
  const session = new Session();
  session.connect();
  const post = (method: string): Promise<unknown> =>
    new Promise((resolve, reject) =>
      session.post(method, (error, result) => error === null ? resolve(result) : reject(error))
    );
  await post("Profiler.enable");
  await post("Profiler.start");
  new Simulator(workload, replicas).run(createRoute());
  const { profile } = await post("Profiler.stop") as { profile: CpuProfile };
  session.disconnect();
  return sumByPart(profile);
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

function sumByPart({ nodes, samples, timeDeltas }: CpuProfile): ProfileShare[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const sums = new Map<string, number>();
  let total = 0;
  samples.forEach((id, i) => {
    const { functionName, url } = frames.get(id)!;
    const place = `${functionName} ${url}`;
    const part = PARTS.find(([, pattern]) => pattern.test(place))?.[0] ?? "runtime and collector";
    sums.set(part, (sums.get(part) ?? 0) + timeDeltas[i]!);
    total += timeDeltas[i]!;
  });
  return [...sums].map(([name, sum]) => ({ name, share: sum / total }))
    .sort((a, b) => b.share - a.share);
}
