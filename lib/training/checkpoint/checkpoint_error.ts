/**
 * Why a checkpoint is refused.
 *
 * @module
 */

/** A checkpoint that cannot be used; the message says which and why. */
export class CheckpointError extends Error {
  /** Class name, as printed. */
  override readonly name = "CheckpointError";
  /** The file or folder. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;

  /** States the path and the reason. */
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`Cannot use checkpoint ${path}: ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }
}
