import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { parseExperimentConfig } from "../../lib/config/mod.ts";
import { hashInputs } from "../../lib/sweep/_input_files.ts";
import { shippedPolicyPath } from "../../lib/training/mod.ts";
import { withFolder } from "../_helpers.ts";

Deno.test("hashInputs() finds traces, profiles and policies, those of a mixture too", () =>
  withFolder(async (folder) => {
    const files = ["own.csv", "mixed.csv", "own.json", "group.json", "mixed.json"]
      .map((name) => `${folder}/${name}`);
    for (const file of files) await Deno.writeTextFile(file, file);
    const [own, mixed, ownProfile, groupProfile, mixedProfile] = files as [
      string,
      string,
      string,
      string,
      string,
    ];
    const policy = shippedPolicyPath("mixed");
    const config = parseExperimentConfig({
      cluster: {
        replicas: [{ gpu: "h100" }, { gpu: "a40", timer: { kind: "auto", files: [groupProfile] } }],
        timer: { kind: "profile", files: [ownProfile] },
      },
      workload: { kind: "trace", path: own },
      training: {
        mixture: [
          {},
          { workload: { kind: "trace", path: mixed } },
          { cluster: { timer: { kind: "profile", files: [mixedProfile] } } },
        ],
        initialPolicy: policy,
      },
    });
    const hashes = await hashInputs([config, { ...config, seed: 1 }]);
    assert.deepEqual(Object.keys(hashes).sort(), [...files, policy].sort());
    assert.equal(hashes[own], createHash("sha256").update(own).digest("hex"));

    const missing = { ...config.training, mixture: [], initialPolicy: `${folder}/none` };
    const plain = parseExperimentConfig({ training: missing });
    assert.deepEqual(await hashInputs([plain]), {}, "a missing policy is its trials' business");
  }));
