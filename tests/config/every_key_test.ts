import assert from "node:assert/strict";
import { getGpu } from "../../lib/hardware/mod.ts";
import { Rng } from "../../lib/random/mod.ts";
import {
  openScenario,
  policyCheckpoint,
  saveCheckpoint,
  trainPolicy,
  useSimdBackend,
} from "../../lib/training/mod.ts";
import { BASE, type KeyFiles, keyGroups } from "./_key_cases.ts";
import { observe, schemaKeys, withKeys } from "./_keys.ts";

await useSimdBackend();

/** Keys that describe something to the reader; nothing reads them, on purpose. */
const LABELS = [
  ...["fitted", "synthetic", "trace"].map((kind) => `workload{${kind}}.classes.0.name`),
  "cluster.gpus.0.product",
  "cluster.gpus.0.source",
];

/** Files for the cases; gone afterwards. */
async function withFiles(body: (files: KeyFiles) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const header = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
  try {
    for (const [name, gap] of [["trace.csv", 0.1], ["other.csv", 0.2]] as const) {
      const rows = Array.from(
        { length: 200 },
        (_, i) => `${i * gap},${100 + 2 * i},${i % 7 + 1}\n`,
      );
      await Deno.writeTextFile(`${folder}/${name}`, header + rows.join(""));
    }
    const scenario = await openScenario(withKeys(BASE, {}));
    const trained = await trainPolicy(scenario, { rng: new Rng(7) });
    const checkpoint = policyCheckpoint(trained, { update: 2, decisions: 64 });
    trained.policy.dispose();
    await saveCheckpoint(`${folder}/policy`, checkpoint, { keepLast: 1 });
    const profile = `${folder}/profile.json`;
    const slow = await Deno.readTextFile(
      new URL("../../data/profiles/a40_Llama-2-7b-hf.json", import.meta.url),
    );
    await Deno.writeTextFile(profile, slow.replace('"gpu": "a40"', '"gpu": "a100"'));
    await body({ trace: `${folder}/trace.csv`, profile, checkpoint: `${folder}/policy` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("every key of an experiment has a case below, and no other has", () => {
  const cases = keyGroups({ trace: "trace.csv", profile: "", checkpoint: "" }).flatMap(({ to }) =>
    Object.keys(to)
  );
  assert.equal(new Set(cases).size, cases.length, "one case a key");
  assert.deepEqual([...cases, ...LABELS].sort(), schemaKeys().sort());
});

Deno.test("changing any key of an experiment changes what it does", async () => {
  await withFiles(async (files) => {
    const unread: string[] = [];
    for (const { look, given = {}, to } of keyGroups(files)) {
      const before = await observe(look, withKeys(BASE, given));
      assert.equal(await observe(look, withKeys(BASE, given)), before, "the same again");
      for (const [id, value] of Object.entries(to)) {
        // The value of a `kind` is a whole block of that kind.
        const key = id.endsWith(".kind") && typeof value === "object" ? id.slice(0, -5) : id;
        const after = await observe(look, withKeys(BASE, { ...given, [key]: value }));
        if (after === before) unread.push(id);
      }
    }
    assert.deepEqual(unread, []);
  });
});

Deno.test("keys that only describe change nothing", async () => {
  const named = (name: string) => withKeys(BASE, { "workload.classes": [{ name, share: 1 }] });
  assert.equal(await observe("workload", named("a")), await observe("workload", named("b")));
  const described = (text: string) =>
    withKeys(BASE, {
      "cluster.gpus": [{ ...getGpu("a100"), efficiency: "a100", product: text, source: text }],
    });
  const [one, other] = [described("a"), described("b")];
  assert.equal(await observe("simulation", one), await observe("simulation", other));
});
