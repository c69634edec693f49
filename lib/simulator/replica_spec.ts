/**
 * One replica, with everything resolved.
 *
 * @module
 */
import type { BatchTimer } from "../timing/mod.ts";
import type { SchedulerConfig } from "./scheduler_config.ts";
import type { StageFlops } from "./stage_flops.ts";

/** What the simulator needs to know of a replica: a model on GPUs, reduced to numbers and a timer. */
export interface ReplicaSpec {
  /** Kind of GPU, for labels. */
  readonly gpu: string;
  /** Name of the model, for labels. */
  readonly model: string;
  /** GPUs that share each layer. */
  readonly tensorParallel: number;
  /** Pipeline stages; as many batches may be in flight. */
  readonly stageCount: number;
  /** KV blocks of `scheduler.blockSize` tokens. */
  readonly kvBlocks: number;
  /** Largest batch of the schedulers that reserve whole sequences (orca, faster_transformer). */
  readonly maxBatchSize: number;
  /**
   * `"vidur"` reproduces Vidur bit for bit, its accidents included; `"none"`, the default, does the
   * sane thing where Vidur does not (spec/simulator.md, marked "quirk" there).
   */
  readonly compat?: "none" | "vidur";
  /** Scheduler inside the replica. */
  readonly scheduler: SchedulerConfig;
  /** How long a batch takes. */
  readonly timer: BatchTimer;
  /** Arithmetic of a stage, for utilisation metrics only; absent when it is not known. */
  readonly flops?: StageFlops;
}
