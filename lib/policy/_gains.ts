/**
 * Gains of the orthogonal initial kernels. Source: detail 2 of "The 37 implementation details of
 * PPO" (2022); the document's network uses the same (spec/scheduler.md section 4.1).
 */

/** Hidden layers. */
export const HIDDEN_GAIN = Math.SQRT2;
/** Policy head: small, so that the first policy is near uniform. */
export const POLICY_HEAD_GAIN = 0.01;
/** Value head. */
export const VALUE_HEAD_GAIN = 1;
