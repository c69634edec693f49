import assert from "node:assert/strict";
import { REWARD_BREAKDOWN_KEYS, type RewardBreakdown } from "../../lib/reward/mod.ts";
import { RewardLog } from "../../lib/training/reward_log.ts";

function breakdownOf(reward: number): RewardBreakdown {
  const zeros = Object.fromEntries(REWARD_BREAKDOWN_KEYS.map((key) => [key, 0]));
  return { ...zeros, reward, latencyTerm: 2 * reward } as unknown as RewardBreakdown;
}

Deno.test("RewardLog.take() summarises what came since the last call", () => {
  const log = new RewardLog();
  for (const reward of [-9, 9]) log.add(breakdownOf(reward));
  log.take();
  for (const reward of [-1, -3]) log.add(breakdownOf(reward));
  const { means, ...statistics } = log.take();
  assert.deepEqual([means.reward, means.latencyTerm, means.throughput], [-2, -4, 0]);
  assert.deepEqual(statistics, { rewardStd: 1, rewardMin: -3, rewardMax: -1 });
  assert.throws(() => log.take(), { name: "RangeError", message: /at least one step/ });
});
