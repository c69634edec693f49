/**
 * From a configuration to a scheduler.
 *
 * @module
 */
import type { ReplicaState } from "../replica_state.ts";
import { FasterTransformerScheduler } from "./faster_transformer.ts";
import { LightLlmScheduler } from "./lightllm.ts";
import { OrcaScheduler } from "./orca.ts";
import type { ReplicaScheduler } from "./replica_scheduler.ts";
import { SarathiScheduler } from "./sarathi.ts";
import { VllmScheduler } from "./vllm.ts";
import { VllmV1Scheduler } from "./vllm_v1.ts";

/**
 * Builds the scheduler that the replica's configuration names.
 *
 * @param replica State that the scheduler will work on.
 */
export function createReplicaScheduler(replica: ReplicaState): ReplicaScheduler {
  switch (replica.spec.scheduler.kind) {
    case "sarathi":
      return new SarathiScheduler(replica);
    case "vllm":
      return new VllmScheduler(replica);
    case "vllm_v1":
      return new VllmV1Scheduler(replica);
    case "orca":
      return new OrcaScheduler(replica);
    case "faster_transformer":
      return new FasterTransformerScheduler(replica);
    case "lightllm":
      return new LightLlmScheduler(replica);
  }
}
