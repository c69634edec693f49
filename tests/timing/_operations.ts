import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type BatchShape,
  type BatchTimer,
  type OperationKind,
  operationKinds,
} from "../../lib/timing/mod.ts";
import { batchShape } from "./_batch_shape.ts";

/** Seconds of each kind of operation. */
export function kindSeconds(
  timer: BatchTimer,
  batch: BatchShape,
  stage: number,
): Record<OperationKind, number> {
  const parts = timer.operationParts!();
  const sum = (kind: OperationKind): number =>
    parts.filter((part) => part.kind === kind)
      .reduce((seconds, part) => seconds + part.seconds(batch, stage), 0);
  return Object.fromEntries(operationKinds.map((kind) => [kind, sum(kind)])) as Record<
    OperationKind,
    number
  >;
}

/** Seconds of each part, by its operations. */
export function partSeconds(
  timer: BatchTimer,
  batch: BatchShape,
  stage: number,
): Record<string, number> {
  return Object.fromEntries(
    timer.operationParts!().map(({ operations, seconds }) => [
      operations.join("+"),
      seconds(batch, stage),
    ]),
  );
}

/** Largest batches to try. */
export interface BatchLimits {
  readonly decodes: number;
  readonly context: number;
  readonly prefills: number;
  readonly chunk: number;
}

const LIMITS: BatchLimits = { decodes: 64, context: 8000, prefills: 3, chunk: 2048 };

/** Asserts that the parts of a timer sum to the time of any batch in any stage. */
export function assertPartsSum(timer: BatchTimer, stages: number, limits = LIMITS): void {
  const parts = timer.operationParts!();
  const names = parts.map(({ operations }) => operations.join("+"));
  assert.equal(new Set(names).size, names.length, "no part twice");
  const context = fc.nat(limits.context);
  const batches = fc.record({
    decodes: fc.array(context, { maxLength: limits.decodes }),
    prefills: fc.array(fc.tuple(context, fc.integer({ min: 1, max: limits.chunk })), {
      maxLength: limits.prefills,
    }),
  }).filter(({ decodes, prefills }) => decodes.length + prefills.length > 0);
  fc.assert(
    fc.property(batches, fc.nat(stages - 1), ({ decodes, prefills }, stage) => {
      const batch = batchShape(decodes, prefills);
      const seconds = parts.map((part) => part.seconds(batch, stage));
      assert.ok(seconds.every((own) => own >= 0), String(seconds));
      const sum = seconds.reduce((a, b) => a + b, 0);
      const total = timer.modelSeconds(batch, stage) + timer.overheadSeconds(batch);
      // The same terms, added in another order.
      assert.ok(Math.abs(sum / total - 1) < 1e-12, `${sum} s of ${total} s`);
    }),
    { numRuns: 60, seed: 4 },
  );
}
