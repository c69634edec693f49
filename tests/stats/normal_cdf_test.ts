import assert from "node:assert/strict";
import { normalCdf } from "../../lib/stats/mod.ts";

Deno.test("normalCdf() equals tabulated levels to 1e-7", () => {
  // Abramowitz and Stegun, table 26.1.
  const table = [[0, 0.5], [0.5, 0.6914624613], [1, 0.8413447461], [2, 0.9772498681], [
    4,
    0.9999683288,
  ]] as const;
  for (const [score, level] of table) {
    assert.ok(Math.abs(normalCdf(score) - level) < 1e-7, `${score}`);
    assert.ok(Math.abs(normalCdf(-score) - (1 - level)) < 1e-7, `${-score}`);
  }
  assert.equal(normalCdf(-Infinity), 0);
  assert.equal(normalCdf(Infinity), 1);
});
