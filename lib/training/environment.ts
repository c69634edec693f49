/**
 * What can be learned on.
 *
 * @module
 */

/** What one step of an environment leads to. */
export interface StepResult {
  /** Reward of the action just taken. */
  readonly reward: number;
  /** The episode is over: nothing of value follows. */
  readonly terminated: boolean;
  /** The episode was cut off (a time limit, the end of a trace): what would follow has value. */
  readonly truncated: boolean;
  /**
   * Discount of what follows this step, in [0, 1], where decisions are unevenly spaced in time, e.g.
   * exp(-elapsedSeconds / tau); absent = the trainer's `gamma`.
   */
  readonly discount?: number;
}

/** Observations that describe replicas one after the other, then the rest. */
export interface ReplicaObservation {
  /** Number of replicas, which is also that of actions. */
  readonly replicaCount: number;
  /** Numbers per replica. */
  readonly perReplicaSize: number;
  /** Numbers after the last replica. */
  readonly globalSize: number;
}

/**
 * An environment with a vector observation and a finite set of actions. It writes observations into
 * an array of the caller's, of length `observationSize`, overwriting every entry.
 */
export interface Environment {
  /** Width D of an observation. */
  readonly observationSize: number;
  /** Number A of actions. */
  readonly actionCount: number;
  /** How observations are cut into slices; needed beside environments of other sizes. */
  readonly layout?: ReplicaObservation;
  /** Starts an episode. */
  reset(observation: Float32Array): void;
  /**
   * Takes the action for the last observation. When the result is terminated or truncated, the
   * observation written is the episode's last state, and `reset` comes next.
   */
  step(action: number, observation: Float32Array): StepResult;
  /** Writes 1 for every action allowed now, 0 for the others, `[A]`; absent = always all. */
  actionMask?(mask: Uint8Array): void;
}
