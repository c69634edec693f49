/** Policies by name on a command line. */
import { existsSync, globSync } from "node:fs";
import { UsageError } from "../support/mod.ts";
import {
  baselineNames,
  heuristicEntry,
  listShippedPolicies,
  loadTrainedPolicy,
  policyEntry,
  type RouterEntry,
  type Scenario,
  shippedPolicyPath,
  type TrainedPolicy,
  useSimdBackend,
} from "../training/mod.ts";

/** Prefix of a trained policy's name; a path follows, or the name of a shipped policy. */
const TRAINED = "ppo:";

/** What `ppo` alone stands for: the shipped policy that was trained on the most clusters. */
const DEFAULT_TRAINED = "general";

/** How a trained policy acts. */
export type Sampling = "greedy" | "sampled";

/** One policy under several training seeds. */
export interface PolicyGroup {
  /** Name of the policy. */
  readonly label: string;
  /** Names of its ways of acting, as in tables. */
  readonly actingLabels: readonly string[];
  /** What was trained, one a seed. */
  readonly members: readonly TrainedPolicy[];
}

/** Policies of a comparison. */
export interface FoundPolicies {
  /** What to run: several of one name where a policy was trained under several seeds. */
  readonly entries: readonly RouterEntry[];
  /** Trained policies. */
  readonly groups: readonly PolicyGroup[];
}

/**
 * The policy of that name: a router, or `ppo:PATH`, `ppo:NAME` of a shipped policy, or `ppo`, all
 * of which act greedily.
 *
 * @throws {UsageError} When there is no such policy, or it is for another cluster size.
 * @throws {CheckpointError} When the path holds no usable checkpoint.
 */
export async function findPolicy(scenario: Scenario, name: string): Promise<RouterEntry> {
  if (!isTrained(name)) return heuristicEntry(scenario, requireBaseline(name));
  return policyEntry(await loadFitting(scenario, pathOf(name)), name, "greedy");
}

/**
 * Policies as `--policies` lists them: routers, `ppo:PATH`, shipped ones as `ppo:NAME` or `ppo`, and
 * training seeds of one policy as one: `ppo:PATH+ppo:PATH`, or `LABEL=PATH+PATH`. A path may hold `*`
 * for any part of a name.
 *
 * @param samplings How trained policies act; those that draw are marked in their names.
 * @throws {UsageError} When there is no such router, a pattern matches nothing, a policy is for
 * another cluster size, names repeat, or a group has one training seed twice.
 * @throws {CheckpointError} When a path holds no usable checkpoint.
 */
export async function findPolicies(
  scenario: Scenario,
  list: string,
  samplings: readonly Sampling[],
): Promise<FoundPolicies> {
  const entries: RouterEntry[] = [];
  const groups: PolicyGroup[] = [];
  for (const name of new Set(list.split(","))) {
    const group = readGroup(name);
    const label = group?.label ?? requireBaseline(name);
    if (entries.some((entry) => entry.label === label)) {
      throw new UsageError(
        `Cannot compare: labels of --policies must be distinct, current value is ${label}`,
      );
    }
    if (group === undefined) {
      entries.push(heuristicEntry(scenario, label));
      continue;
    }
    const members: TrainedPolicy[] = [];
    for (const path of group.patterns.flatMap(expandPattern)) {
      const policy = await loadFitting(scenario, path);
      refuseRepeatedSeed(label, members, policy);
      members.push(policy);
    }
    const actingLabels = samplings.map((sampling) => {
      const actingLabel = sampling === "greedy" ? label : `${label} (sampled)`;
      for (const policy of members) entries.push(policyEntry(policy, actingLabel, sampling));
      return actingLabel;
    });
    groups.push({ label, actingLabels, members });
  }
  return { entries, groups };
}

/** A trained policy's label and paths; `undefined` for the name of a router. */
function readGroup(name: string): { label: string; patterns: string[] } | undefined {
  const equals = name.indexOf("=");
  if (equals < 0 && !isTrained(name)) return undefined;
  const label = equals < 0 ? name : name.slice(0, equals);
  const paths = name.slice(equals + 1).split("+");
  const patterns = paths.map(pathOf);
  if (label === "" || patterns.includes("")) {
    throw new UsageError(
      `Cannot find the policy: it must be ${TRAINED}PATH or LABEL=PATH+PATH, current value is ${
        JSON.stringify(name)
      }`,
    );
  }
  return { label, patterns };
}

function requireBaseline(name: string): string {
  if ((baselineNames as readonly string[]).includes(name)) return name;
  const shipped = listShippedPolicies().map((each) => TRAINED + each);
  throw new UsageError(
    `Cannot find the policy: it must be one of ${baselineNames.join(", ")}, ${
      shipped.join(", ")
    } ` +
      `or ${TRAINED}PATH, current value is ${JSON.stringify(name)}`,
  );
}

function isTrained(name: string): boolean {
  return name.startsWith(TRAINED) || name === TRAINED.slice(0, -1);
}

/**
 * The file or folder of a trained policy: a path or the name of a shipped one, with `ppo:` in front
 * or without.
 *
 * @throws {UsageError} When there is no such policy.
 */
export function trainedPath(name: string): string {
  return locate(pathOf(name));
}

/** Path, pattern or shipped name of a trained policy. */
function pathOf(name: string): string {
  if (!isTrained(name)) return name;
  return name.startsWith(TRAINED) ? name.slice(TRAINED.length) : DEFAULT_TRAINED;
}

/** A shipped policy's file for its name; anything else is a path (`./general` always is). */
function locate(path: string): string {
  const shipped = listShippedPolicies();
  if (shipped.includes(path)) return shippedPolicyPath(path);
  if (path.includes("/") || existsSync(path)) return path;
  throw new UsageError(
    `Cannot find the policy: ${TRAINED} must be followed by one of ${
      shipped.join(", ")
    }, or by a ` +
      `file or folder, current value is ${JSON.stringify(path)}`,
  );
}

async function loadFitting(scenario: Scenario, path: string): Promise<TrainedPolicy> {
  await useSimdBackend();
  return await loadTrainedPolicy(locate(path), { replicaCount: scenario.replicas.length });
}

/** Seeds tell the runs of a group apart, and the interval takes them for independent. */
function refuseRepeatedSeed(
  label: string,
  members: readonly TrainedPolicy[],
  { config: { seed } }: TrainedPolicy,
): void {
  if (!members.some((member) => member.config.seed === seed)) return;
  throw new UsageError(
    `Cannot compare ${label}: its members must have distinct training seeds, current seed ${seed} is there twice`,
  );
}

/**
 * Paths that a pattern with `*` matches, in order of name; one without stands for itself.
 *
 * @throws {UsageError} When there is none.
 */
function expandPattern(pattern: string): string[] {
  if (!pattern.includes("*")) return [pattern];
  const matches = globSync(pattern).sort();
  if (matches.length > 0) return matches;
  throw new UsageError(
    `Cannot find the policy: ${pattern} must match a file or folder, current number is 0`,
  );
}
