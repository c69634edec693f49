/**
 * How often a policy does what a router did.
 *
 * @module
 */
import type { Demonstrations } from "./demonstration_folder.ts";

/** Agreement with one router, or with all of them. */
export interface Agreement {
  /** Decisions compared. */
  readonly decisionCount: number;
  /**
   * Share of decisions where the policy's choice is as good to the router as its own: of the lowest
   * score, or, where the router has no scores, the same replica.
   */
  readonly agreement: number;
  /** Decisions where exactly one replica had the lowest score. */
  readonly tieFreeCount: number;
  /** Agreement on these; null when there are none. */
  readonly tieFreeAgreement: number | null;
}

/**
 * Compares a policy's choices with the routers', by router.
 *
 * Equals count as agreement: a router that tosses a coin between equally loaded replicas cannot be
 * predicted, and need not be.
 *
 * @param episodes Which episodes.
 * @param choices `[R]`, the policy's actions.
 * @returns Agreement with every router in these episodes, in order of appearance.
 */
export function agreementByRouter(
  { manifest, episodeRows, actions, scores }: Demonstrations,
  episodes: readonly number[],
  choices: Int32Array,
): Map<string, Agreement> {
  const counts = new Map<string, AgreementCounts>();
  for (const e of episodes) {
    const { router, hasScores, decisionCount } = manifest.episodes[e]!;
    const count = counts.get(router) ?? { decisions: 0, agreed: 0, tieFree: 0, tieFreeAgreed: 0 };
    counts.set(router, count);
    const begin = episodeRows[e]!;
    for (let row = begin; row < begin + decisionCount; row++) {
      const offset = row * manifest.replicaCount;
      const costs = scores.subarray(offset, offset + manifest.replicaCount);
      const lowest = Math.min(...costs);
      const choice = choices[row]!;
      const agrees = hasScores ? costs[choice] === lowest : choice === actions[row];
      count.decisions++;
      if (agrees) count.agreed++;
      if (!hasScores || costs.filter((cost) => cost === lowest).length > 1) continue;
      count.tieFree++;
      if (agrees) count.tieFreeAgreed++;
    }
  }
  return new Map([...counts].map(([router, count]) => [router, toAgreement(count)]));
}

/** Agreement over all routers together, each decision counting the same. */
export function overallAgreement(byRouter: ReadonlyMap<string, Agreement>): Agreement {
  const sum: AgreementCounts = { decisions: 0, agreed: 0, tieFree: 0, tieFreeAgreed: 0 };
  for (const { decisionCount, agreement, tieFreeCount, tieFreeAgreement } of byRouter.values()) {
    sum.decisions += decisionCount;
    sum.agreed += agreement * decisionCount;
    sum.tieFree += tieFreeCount;
    sum.tieFreeAgreed += (tieFreeAgreement ?? 0) * tieFreeCount;
  }
  return toAgreement(sum);
}

interface AgreementCounts {
  decisions: number;
  agreed: number;
  tieFree: number;
  tieFreeAgreed: number;
}

function toAgreement({ decisions, agreed, tieFree, tieFreeAgreed }: AgreementCounts): Agreement {
  return {
    decisionCount: decisions,
    agreement: agreed / decisions,
    tieFreeCount: tieFree,
    tieFreeAgreement: tieFree === 0 ? null : tieFreeAgreed / tieFree,
  };
}
