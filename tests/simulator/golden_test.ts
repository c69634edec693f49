/** Recorded runs of Vidur, replayed: `deno task golden` does all of them. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readGoldenCase, type TableCache } from "../../lib/cli/_golden_case.ts";
import { replayGoldenCase } from "../../lib/cli/_golden_replay.ts";

const GOLDEN = fileURLToPath(new URL("../../../shared/golden/vidur/", import.meta.url));

const CASES = [
  "70b-tp2-pp1-sarathi",
  "70b-tp2-pp2-vllm",
  "7b-lightllm",
  "7b-random-vllm",
  "7b-restart-sarathi",
  "7b-restart-vllm",
  "7b-rr-sarathi",
  "7b-tp1-pp1-orca",
  "7b-tp1-pp1-sarathi",
  "7b-tp1-pp2-ft",
];

const tables: TableCache = new Map();

for (const name of CASES) {
  const folder = `${GOLDEN}${name}`;
  Deno.test({
    name: `Simulator repeats Vidur's run ${name} bit for bit (needs ../shared/golden)`,
    ignore: !existsSync(folder),
    async fn() {
      const { passed, ...report } = replayGoldenCase(await readGoldenCase(folder, tables));
      assert.equal(report.maxAbsDiffSeconds, 0);
      assert.ok(passed, JSON.stringify(report));
    },
  });
}
