/** All keys of an experiment, read off its schema, and what an experiment comes to. */
import { z } from "zod";
import { createHash } from "node:crypto";
import {
  type Assignment,
  assignPaths,
  type ExperimentConfig,
  experimentSchema,
  type JsonValue,
  parseExperimentConfig,
} from "../../lib/config/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import { defineSweep, expandSweep, runTrial } from "../../lib/sweep/mod.ts";
import {
  evaluatePolicies,
  heuristicEntry,
  openScenario,
  trainPolicy,
  type UpdateRecord,
  type ValidationRecord,
} from "../../lib/training/mod.ts";

interface Schema {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/**
 * Ids of all keys that hold a value: dotted paths, with the kind of a block in braces where there
 * are several (`policy{mlp}.activation`) and the first entry of lists of blocks.
 */
export function schemaKeys(): string[] {
  return keysOf(z.toJSONSchema(experimentSchema, { io: "output" }) as Schema, "");
}

/** Blocks of the same schema as another block, whose keys are looked at there. */
const REPEATED = ["cluster", "workload", "incidents"].map((part) => `training.mixture.0.${part}`);

function keysOf(schema: Schema, id: string): string[] {
  if (REPEATED.includes(id)) return [id];
  const branches = (schema.oneOf ?? schema.anyOf ?? []).filter(({ type }) => type !== "null");
  if (branches.length > 1 && branches.every(({ properties }) => properties?.kind)) {
    return [
      `${id}.kind`,
      ...branches.flatMap((branch) => {
        const { kind, ...others } = branch.properties!;
        return keysOf({ properties: others }, `${id}{${kind!.const ?? kind!.enum!.join("|")}}`);
      }),
    ];
  }
  if (branches.length === 1) return keysOf(branches[0]!, id);
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([key, member]) =>
      keysOf(member, id === "" ? key : `${id}.${key}`)
    );
  }
  const { items } = schema;
  return items?.properties ?? items?.oneOf ? keysOf(items!, `${id}.0`) : [id];
}

/** The experiment with keys set; ids may be used for paths. */
export function withKeys(
  base: unknown,
  keys: Readonly<Record<string, JsonValue>>,
): ExperimentConfig {
  const assignments = Object.entries(keys).map(([id, value]): Assignment => ({
    path: id.replaceAll(/\{.*?\}/g, ""),
    value,
  }));
  return parseExperimentConfig(assignPaths(base, assignments));
}

/** What is looked at: the least that a key has to change. */
export type Observation = "workload" | "simulation" | "training" | "trial";

/**
 * Hash of what the experiment does; nothing of the configuration itself is in it. To be refused is
 * something too, where the values are allowed but do not go together.
 */
export async function observe(what: Observation, config: ExperimentConfig): Promise<string> {
  let outcome: unknown;
  try {
    outcome = await OBSERVERS[what](config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    outcome = { refused: error.field };
  }
  const text = JSON.stringify(
    outcome,
    (_key, value) => ArrayBuffer.isView(value) ? [...value as Float64Array] : value,
  );
  return createHash("sha256").update(text).digest("hex");
}

const OBSERVERS: Readonly<Record<Observation, (config: ExperimentConfig) => Promise<unknown>>> = {
  async workload(config) {
    const scenario = await openScenario(config);
    return [scenario.trainingWorkload(new Rng(1)), scenario.evaluationWorkload(1)];
  },
  async simulation(config) {
    const scenario = await openScenario(config);
    const runs = await evaluatePolicies(scenario, [heuristicEntry(scenario, "round_robin")]);
    return runs.map(({ result }) => result);
  },
  async training(config) {
    const records: UpdateRecord[] = [];
    const validations: ValidationRecord[] = [];
    const { policy, normalizer } = await trainPolicy(await openScenario(config), {
      rng: new Rng(config.seed),
      onUpdate: (record) => records.push(record),
      onValidation: (record) => validations.push(record),
    });
    const weights = policy.getWeights();
    policy.dispose();
    return { records, validations, weights, normalizer };
  },
  async trial(config) {
    const sweep = defineSweep({
      name: "one",
      description: "",
      base: config,
      grid: {},
      seeds: [1],
      baselines: ["least_outstanding"],
    });
    const trial = expandSweep(sweep).trials.find(({ policy }) => policy === "ppo")!;
    const folder = await Deno.makeTempDir();
    try {
      await runTrial(trial, folder, () => {});
      const report = JSON.parse(await Deno.readTextFile(`${folder}/${trial.id}/trial.json`));
      return report.results;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};
