import assert from "node:assert/strict";
import { expandSweep, findRun, runSweep } from "../../lib/sweep/mod.ts";
import { tinySweep } from "./_tiny_sweep.ts";
import { withFolder } from "../_helpers.ts";

Deno.test("findRun() finds the newest complete run of exactly that sweep", () =>
  withFolder(async (parent) => {
    const sweep = expandSweep({ ...tinySweep, axes: [] }, { quick: true });
    assert.equal(await findRun(`${parent}/nowhere`, sweep), undefined);
    await Deno.mkdir(`${parent}/empty`);
    await Deno.writeTextFile(`${parent}/a file`, "");
    const out = `${parent}/one`;
    await runSweep({ ...sweep, trials: sweep.trials.slice(0, 2) }, { out });
    assert.equal(await findRun(parent, sweep), out);
    assert.equal(await findRun(parent, { hash: "another" }), undefined);

    const manifest = JSON.parse(await Deno.readTextFile(`${out}/manifest.json`));
    for (
      const [name, changes] of Object.entries({
        later: { begunAt: "2999-01-01T00:00:00.000Z" },
        unfinished: { begunAt: "2999-01-02T00:00:00.000Z", status: "running" },
        foreign: { begunAt: "2999-01-03T00:00:00.000Z", format: 0 },
      })
    ) {
      await Deno.mkdir(`${parent}/${name}`);
      const text = JSON.stringify({ ...manifest, ...changes });
      await Deno.writeTextFile(`${parent}/${name}/manifest.json`, text);
    }
    assert.equal(await findRun(parent, sweep), `${parent}/later`);
  }));
