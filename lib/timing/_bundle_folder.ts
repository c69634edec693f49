/**
 * Which files of a bundle are to be used.
 *
 * @module
 */
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { TraceError } from "../support/mod.ts";

/** Where a bundle's tables are. */
export interface BundleFolder {
  /** Folder of the tables. */
  readonly tables: string;
  /** GPUs that share each layer in these measurements. */
  readonly tensorParallel: number;
  /** The skew fit that belongs to the tables, `undefined` where there is none. */
  readonly skewPath: string | undefined;
}

/** What is used of `meta.yaml`. */
const metaSchema = z.object({ skew_fit: z.object({ enabled: z.boolean() }).optional() });

/**
 * Finds the tables of a degree of tensor parallelism: in the sub-folder `tp<degree>`, or, where
 * there is none, in the folder itself, which is taken for one GPU's. A skew fit counts unless
 * `meta.yaml` says that it is not enabled: then it is left over from other measurements than the
 * tables', and LLMServingSim does not use it either.
 *
 * @throws {TraceError} When `meta.yaml` is no such file.
 */
export async function findBundleTables(
  folder: string,
  tensorParallel: number,
): Promise<BundleFolder> {
  const ofDegree = `${folder}/tp${tensorParallel}`;
  const hasDegree = await exists(ofDegree);
  const tables = hasDegree ? ofDegree : folder;
  const skewPath = `${tables}/skew_fit.csv`;
  const hasSkew = await isSkewEnabled(`${folder}/meta.yaml`) && await exists(skewPath);
  return {
    tables,
    tensorParallel: hasDegree ? tensorParallel : 1,
    skewPath: hasSkew ? skewPath : undefined,
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Whether the skew fit belongs to the tables, as it does where there is no word on it. */
async function isSkewEnabled(path: string): Promise<boolean> {
  if (!await exists(path)) return true;
  let meta: unknown;
  try {
    meta = parseYaml(await Deno.readTextFile(path));
  } catch (error) {
    throw new TraceError(path, 0, `the file cannot be read (${(error as Error).message})`);
  }
  const parsed = metaSchema.safeParse(meta);
  if (!parsed.success) {
    throw new TraceError(path, 0, "skew_fit.enabled must be a boolean where it is stated");
  }
  return parsed.data.skew_fit?.enabled ?? true;
}
