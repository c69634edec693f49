/**
 * Profiles in the format of Vidur.
 *
 * @module
 */
import { Curve } from "./_curve.ts";
import { Surface } from "./_surface.ts";
import {
  readVidurPoints,
  type VidurLayerOperation,
  vidurLayerOperations,
  type VidurProfileFiles,
  type VidurProfileOptions,
} from "./_vidur_points.ts";

/** Measured times in seconds, interpolated; each is non-decreasing in its arguments. */
export interface VidurProfile {
  /** One operation of one layer for a number of tokens; 0 if the model lacks it. */
  operationSeconds(operation: VidurLayerOperation, tokens: number): number;
  /** Attention of one layer for one prompt chunk after `contextTokens` cached tokens. */
  readonly prefillSeconds: ((contextTokens: number, chunkTokens: number) => number) | undefined;
  /** Attention of one layer for decodes of equal context. */
  readonly decodeSeconds: ((decodeCount: number, contextTokens: number) => number) | undefined;
  /** One all-reduce of the activations of tokens. */
  readonly allReduceSeconds: ((tokens: number) => number) | undefined;
  /** One transfer of the activations of tokens to the next stage. */
  readonly sendRecvSeconds: ((tokens: number) => number) | undefined;
}

/**
 * Reads profiling tables, medians of times in milliseconds, and interpolates between them. Attention
 * includes the saving of keys and values where it was measured.
 *
 * Source of the formats: spec/simulator.md sections 8.1 and 11.
 *
 * @throws {TraceError} When a file cannot be read or lacks a column.
 * @throws {ConfigError} When a file has no rows of the model and its parallelism.
 */
export async function readVidurProfile(
  files: VidurProfileFiles,
  options: VidurProfileOptions,
): Promise<VidurProfile> {
  const points = await readVidurPoints(files, options);
  const operations = new Map(
    vidurLayerOperations.map((name) => [name, new Curve(points.operations[name])]),
  );
  const prefill = points.prefill && new Surface(points.prefill);
  const decode = points.decode && new Surface(points.decode);
  const allReduce = points.allReduce && new Curve(points.allReduce);
  const sendRecv = points.sendRecv && new Curve(points.sendRecv);
  return {
    operationSeconds: (operation, tokens) => operations.get(operation)!.at(tokens),
    prefillSeconds: prefill && ((context, chunk) => prefill.at(chunk, context)),
    decodeSeconds: decode && ((decodes, context) => decode.at(decodes, context)),
    allReduceSeconds: allReduce && ((tokens) => allReduce.at(tokens)),
    sendRecvSeconds: sendRecv && ((tokens) => sendRecv.at(tokens)),
  };
}
