import type { BatchTimer } from "../../lib/timing/mod.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { batchShape } from "./_batch_shape.ts";

/** Fails when a longer context or chunk makes a batch faster in one of the stages named. */
export function assertNeverFaster(
  timer: BatchTimer,
  { stages, maxChunk }: { readonly stages: readonly number[]; readonly maxChunk: number },
): void {
  const contexts = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 40 });
  const prefill = fc.tuple(
    fc.integer({ min: 0, max: 40_000 }),
    fc.integer({ min: 1, max: maxChunk }),
  );
  fc.assert(fc.property(
    contexts,
    prefill,
    fc.nat(),
    fc.integer({ min: 1, max: 9000 }),
    (decodes, [context, chunk], which, by) => {
      const longer = decodes.map((value, i) => i === which % decodes.length ? value + by : value);
      const pairs = [
        [batchShape(decodes, []), batchShape(longer, [])],
        [batchShape(decodes, [[context, chunk]]), batchShape(longer, [[context, chunk]])],
        [batchShape(decodes, [[context, chunk]]), batchShape(decodes, [[context + by, chunk]])],
        [batchShape(decodes, [[context, chunk]]), batchShape(decodes, [[context, chunk + by]])],
      ] as const;
      for (const [before, after] of pairs) {
        for (const stage of stages) {
          const seconds = timer.modelSeconds(before, stage);
          assert.ok(seconds > 0 && Number.isFinite(seconds));
          assert.ok(timer.modelSeconds(after, stage) >= seconds * (1 - 1e-12));
        }
      }
    },
  ));
}
