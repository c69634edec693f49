/**
 * An estimate and how far it may be off.
 *
 * @module
 */

/** An estimate with a confidence interval around it. */
export interface Interval {
  /** The estimate itself. */
  readonly estimate: number;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}
