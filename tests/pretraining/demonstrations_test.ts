import assert from "node:assert/strict";
import { join } from "node:path";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import {
  collectDemonstrations,
  DemonstrationError,
  listDemonstrations,
  readDemonstrations,
  removeDemonstrations,
} from "../../lib/pretraining/mod.ts";
import { StateBuilder } from "../../lib/state/mod.ts";
import { ConfigError } from "../../lib/support/mod.ts";
import { openScenario } from "../../lib/training/mod.ts";
import { collect, SMALL } from "./_datasets.ts";
import { withFolder } from "../_helpers.ts";

const config = parseExperimentConfig(SMALL);
const scenario = await openScenario(config);

Deno.test("collectDemonstrations() writes what each router saw, scored and did", async () => {
  const rateScales = [0.5, 2];
  const data = await collect({
    routers: ["least_outstanding", "round_robin"],
    rateScales,
    episodes: 2,
    requests: 100,
  });
  const { manifest, episodeRows, observations, actionMasks, actions, scores } = data;
  const builder = new StateBuilder(config.state, 3);
  assert.equal(manifest.schemaHash, builder.schemaHash);
  assert.deepEqual(manifest.featureNames, builder.featureNames);
  assert.deepEqual([manifest.replicaCount, manifest.decisionCount], [3, 800]);
  assert.deepEqual(episodeRows, [0, 100, 200, 300, 400, 500, 600, 700]);
  assert.deepEqual(
    manifest.episodes.map(({ router, rateScale }) => `${router} ${rateScale}`),
    ["least_outstanding 0.5", "least_outstanding 0.5", "least_outstanding 2", "least_outstanding 2"]
      .concat(["round_robin 0.5", "round_robin 0.5", "round_robin 2", "round_robin 2"]),
  );
  assert.equal(new Set(manifest.episodes.map(({ workloadSeed }) => workloadSeed)).size, 8);
  assert.ok(!actionMasks.includes(0));
  const { perReplicaSize, size, loadFeatures } = builder.layout;
  const [load] = loadFeatures;
  const meanScores = [0, 0];
  for (let row = 0; row < 400; row++) {
    const costs = [...scores.subarray(3 * row, 3 * row + 3)];
    assert.equal(costs[actions[row]!], Math.min(...costs), "the router takes its cheapest");
    const loads = costs.map((_, r) => observations[row * size + r * perReplicaSize + load!]!);
    const order = (values: number[]): number[] => [0, 1, 2].sort((a, b) => values[a]! - values[b]!);
    assert.deepEqual(order(loads), order(costs), "observed before the decision, as it was scored");
    meanScores[row < 200 ? 0 : 1]! += costs[0]! / 200;
  }
  assert.ok(meanScores[1]! > 2 * meanScores[0]!, "four times the rate, a higher load");
  assert.ok(scores.subarray(3 * 400).every(Number.isNaN), "round robin has no scores");
  assert.deepEqual([...actions.subarray(400, 406)], [0, 1, 2, 0, 1, 2]);
  assert.deepEqual([...actions.subarray(500, 503)], [0, 1, 2], "reset between episodes");
});

Deno.test("collectDemonstrations() writes the same bytes for the same seed, others for another", async () => {
  await withFolder(async (folder) => {
    const options = { routers: ["least_outstanding"], episodes: 1, requests: 50 };
    const other = await openScenario({ ...config, seed: 1 });
    const hashes = [];
    for (const [i, each] of [scenario, scenario, other].entries()) {
      hashes.push((await collectDemonstrations(each, join(folder, `${i}`), options)).sha256);
    }
    assert.equal(hashes[0], hashes[1]);
    assert.notEqual(hashes[0], hashes[2]);
    const [first, second] = ["0", "1"].map((name) =>
      Deno.readTextFileSync(join(folder, name, "demonstrations.json"))
    );
    assert.equal(first, second);
  });
});

Deno.test("collectDemonstrations() refuses what it cannot collect, and leaves nothing", async () => {
  await withFolder(async (folder) => {
    const good = { routers: ["random"], episodes: 1, requests: 10 };
    const cases: [object, string][] = [
      [{ routers: ["lor"] }, "router"],
      [{ routers: [] }, "routers"],
      [{ routers: ["random", "random"] }, "routers"],
      [{ rateScales: [1, 0] }, "rateScales"],
      [{ rateScales: [1, 1] }, "rateScales"],
      [{ episodes: 0 }, "episodes"],
      [{ requests: 1 }, "requests"],
    ];
    for (const [change, field] of cases) {
      await assert.rejects(
        collectDemonstrations(scenario, folder, { ...good, ...change }),
        (error) => error instanceof ConfigError && error.field === field,
      );
    }
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(
      collectDemonstrations(scenario, folder, { ...good, signal }),
      /enough/,
    );
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    await Deno.writeTextFile(join(folder, "note.txt"), "mine");
    await assert.rejects(collectDemonstrations(scenario, folder, good), {
      name: "UsageError",
      message: /must be a new or empty folder/,
    });
  });
});

Deno.test("readDemonstrations() refuses altered and incomplete datasets with the reason", async () => {
  await withFolder(async (folder) => {
    await collectDemonstrations(scenario, folder, { routers: ["random"], episodes: 1 });
    const [json, parquet] = ["demonstrations.json", "demonstrations.parquet"]
      .map((name) => join(folder, name)) as [string, string];
    const manifest = await Deno.readTextFile(json);
    const refused = (reason: RegExp): Promise<void> =>
      assert.rejects(readDemonstrations(folder), (error) => {
        assert.ok(error instanceof DemonstrationError);
        assert.equal(error.path, folder);
        assert.match(error.reason, reason);
        return true;
      });
    const changes: [string, string, RegExp][] = [
      ['"version": 1', '"version": 2', /version must be one of 1, current value is 2/],
      ['"replicaCount": 3', '"replicaCount": 4', /action mask of row 0 must be 4.* value is 3/],
      [
        '"decisionCount": 200,\n  "seed"',
        '"decisionCount": 199,\n  "seed"',
        /rows must be 199.*value is 200/,
      ],
      ['"seed": 0,\n  "episodes"', '"sead": 0,\n  "episodes"', /se[ea]d/],
      ["{", "", /demonstrations\.json: /],
    ];
    for (const [from, to, reason] of changes) {
      assert.ok(manifest.includes(from), from);
      await Deno.writeTextFile(json, manifest.replace(from, to));
      await refused(reason);
    }
    await Deno.writeTextFile(json, manifest);
    assert.equal((await readDemonstrations(folder)).actions.length, 200);

    const bytes = await Deno.readFile(parquet);
    bytes[bytes.length >> 1]! ^= 1;
    await Deno.writeFile(parquet, bytes);
    await refused(/SHA-256 of demonstrations\.parquet .* truncated or was altered/);
    await Deno.remove(parquet);
    await refused(/demonstrations\.parquet must exist/);
    await Deno.remove(json);
    await refused(/demonstrations\.json must exist/);
  });
});

Deno.test("listDemonstrations() and removeDemonstrations() touch datasets only", async () => {
  await withFolder(async (parent) => {
    const options = { routers: ["random"], episodes: 1, requests: 20 };
    for (const name of ["good", "broken"]) {
      await collectDemonstrations(scenario, join(parent, name), options);
    }
    await Deno.truncate(join(parent, "broken", "demonstrations.parquet"), 100);
    await Deno.writeTextFile(join(parent, "broken", "notes.txt"), "mine");
    await Deno.mkdir(join(parent, "killed"));
    await Deno.writeTextFile(join(parent, "killed", "demonstrations.parquet.77.tmp"), "half");
    await Deno.mkdir(join(parent, "unrelated"));
    await Deno.writeTextFile(join(parent, "unrelated", "config.json"), "{}");

    const [broken, good, killed, ...others] = await listDemonstrations(parent);
    assert.deepEqual(others, []);
    assert.match(broken!.problem!, /truncated/);
    assert.match(killed!.problem!, /demonstrations\.json must exist/);
    assert.equal(good!.manifest?.decisionCount, 20);
    assert.equal(await removeDemonstrations(broken!), false, "a foreign file stays");
    assert.equal(await removeDemonstrations(killed!), true);
    assert.equal(await removeDemonstrations(good!), true);
    assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name).sort(), [
      "broken",
      "unrelated",
    ]);
    assert.deepEqual([...Deno.readDirSync(join(parent, "broken"))].map(({ name }) => name), [
      "notes.txt",
    ]);
    await assert.rejects(listDemonstrations(join(parent, "nowhere")), /the folder must exist/);
  });
});
