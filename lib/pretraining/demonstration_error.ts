/**
 * Why a dataset is refused.
 *
 * @module
 */
import { UsageError } from "../support/mod.ts";

/** A dataset of demonstrations that cannot be used; the message says which and why. */
export class DemonstrationError extends UsageError {
  /** The dataset's folder. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;

  /** States the folder and the reason. */
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`Cannot use demonstrations ${path}: ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }
}
