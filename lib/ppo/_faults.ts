/**
 * Faults of the original code, to measure what they cost.
 *
 * @module
 */
import type { PpoConfig } from "./ppo_schema.ts";
import type { RolloutBuffer } from "./rollout_buffer.ts";

/**
 * Makes a rollout tell the update of circumstances that its decisions were not made in, so that
 * importance ratios are no longer 1 before the first step. Does nothing with `ppo.faults` as it is.
 *
 * @param buffer Finished; `temperatures` and `sequenceHiddenStates` are overwritten.
 */
export function plantFaults(
  buffer: RolloutBuffer,
  { updateTemperature, sequenceStates }: PpoConfig["faults"],
): void {
  if (updateTemperature === "one") buffer.temperatures.fill(1);
  if (sequenceStates === "stored") return;
  const { hiddenStates, sequenceHiddenStates } = buffer;
  for (let begin = 0; begin < sequenceHiddenStates.length; begin += hiddenStates.length) {
    sequenceHiddenStates.set(hiddenStates, begin);
  }
}
