/**
 * What a run was: `manifest.json`, the first and the last file written to an output folder.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import project from "../../deno.json" with { type: "json" };
import { UsageError } from "../support/mod.ts";
import type { ExpandedSweep } from "./expand.ts";

/** How long a trial took. */
export interface TrialTiming {
  /** Wall-clock seconds of its last attempt. */
  readonly seconds: number;
  /** Wall-clock seconds from its beginning to each validation during training. */
  readonly validationSeconds?: number[] | undefined;
}

const manifestSchema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  description: z.string(),
  hash: z.string(),
  status: z.enum(["running", "complete", "failed"]),
  begunAt: z.string(),
  resumedAt: z.array(z.string()),
  versions: z.record(z.string(), z.string()),
  gitCommit: z.string().nullable(),
  facts: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), z.string()),
  axes: z.array(z.strictObject({ path: z.string(), values: z.array(z.json()) })),
  reference: z.string(),
  trials: z.array(z.record(z.string(), z.json())),
  failures: z.array(z.strictObject({ trialId: z.string(), message: z.string() })),
  timings: z.record(
    z.string(),
    z.strictObject({ seconds: z.number(), validationSeconds: z.array(z.number()).optional() }),
  ),
});

/**
 * Content of `manifest.json`: the only file of an output folder that holds wall-clock times and
 * facts about the machine.
 */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * The manifest of a run that begins.
 *
 * @param inputs SHA-256 of the files that are read, by path.
 * @param facts More about the run, e.g. the command line.
 */
export async function createManifest(
  sweep: ExpandedSweep,
  inputs: Readonly<Record<string, string>>,
  facts: Readonly<Record<string, string>>,
): Promise<Manifest> {
  const { name, description, hash, axes, reference, trials } = sweep;
  const plain = { axes, trials };
  return {
    format: 1,
    name,
    description,
    hash,
    status: "running",
    begunAt: new Date().toISOString(),
    resumedAt: [],
    versions: { signalbox: project.version, ...Deno.version },
    gitCommit: await findGitCommit(),
    facts: { ...facts },
    inputs: { ...inputs },
    reference,
    ...JSON.parse(JSON.stringify(plain)),
    failures: [],
    timings: {},
  };
}

/**
 * The manifest of an interrupted run, to go on from.
 *
 * @throws {UsageError} When the folder has none, or one of another sweep, or an input has changed.
 */
export async function readManifest(
  out: string,
  sweep: ExpandedSweep,
  inputs: Readonly<Record<string, string>>,
): Promise<Manifest> {
  const refuse = (reason: string): never => {
    throw new UsageError(`Cannot resume ${out}: ${reason}`);
  };
  let text: string;
  try {
    text = await Deno.readTextFile(join(out, "manifest.json"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return refuse("it holds no manifest.json; run without --resume to begin there");
  }
  const manifest = parseManifest(text) ?? refuse("its manifest.json is not one of this version");
  if (manifest.hash !== sweep.hash) {
    refuse(
      `the definition must be the one that the run began with (hash ${manifest.hash} of ${manifest.name}), current hash is ${sweep.hash} of ${sweep.name}; the same options --set, --seeds, --quick, --trace are needed`,
    );
  }
  for (const [path, hash] of Object.entries(manifest.inputs)) {
    if (inputs[path] !== hash) refuse(`${path} has changed since the run began`);
  }
  const resumedAt = [...manifest.resumedAt, new Date().toISOString()];
  return { ...manifest, status: "running", failures: [], resumedAt };
}

/** What a manifest file says; undefined when it is not one of this version. */
export function parseManifest(text: string): Manifest | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return manifestSchema.safeParse(data).data;
}

/** Commit that this code is at, `null` outside a Git work tree; `-dirty` marks local changes. */
async function findGitCommit(): Promise<string | null> {
  const cwd = dirname(fileURLToPath(import.meta.url));
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
      cwd,
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    // No Git on this machine, or no such folder (the package is loaded from elsewhere).
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
