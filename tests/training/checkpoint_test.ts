import { parseExperimentConfig } from "../../lib/config/mod.ts";
import {
  bestOf,
  type Checkpoint,
  CheckpointError,
  decodeCheckpoint,
  decodeSafetensors,
  encodeCheckpoint,
  encodeSafetensors,
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
} from "../../lib/training/mod.ts";
import assert from "node:assert/strict";
import { join } from "node:path";

/** A small checkpoint with awkward numbers in it. */
function createCheckpoint(update: number, score: number | null = null): Checkpoint {
  return {
    config: parseExperimentConfig({ seed: 3 }),
    schemaHash: "0123456789abcdef",
    replicaCount: 2,
    update,
    decisions: 64 * update,
    score,
    weights: {
      "actor.head.kernel": { shape: [2, 2], values: Float32Array.of(1, -0, 1e-45, 0.1) },
      "actor.head.bias": { shape: [2], values: Float32Array.of(0, 7) },
    },
    normalizer: {
      slots: [0, 0, 1],
      count: [4, 2],
      mean: [1 / 3, -1e-300],
      m2: [Math.PI, 0],
      frozen: false,
    },
    training: {
      seed: 5,
      trainer: {
        optimizer: {
          stepCount: 9,
          means: [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)],
          variances: [Float32Array.of(4, 3, 2, 1), Float32Array.of(6, 5)],
        },
      },
      actionRng: [1, -2, 3, 4],
      minibatchRng: [4, 3, 2, 1, 0.1],
      rewardScaler: { returns: [0.1, 0.2], count: 4, mean: 0.3, squaredDeviation: 1 / 7 },
      hiddenStates: Float32Array.of(0.5, -0.5),
      openDecisions: null,
      episodes: { totalRewards: [1.5], lengths: [3], episodeStarts: [0] },
      environments: [],
      temperatures: [],
      tailLatency: {
        cluster: {
          samples: Float64Array.of(0.1, 0.2),
          totalCount: 2,
          violationCount: 0,
          alertCount: 0,
          lastAlertSeconds: null,
        },
        replicas: [],
      },
    },
  };
}

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("decodeCheckpoint() gives back what was encoded", () => {
  for (
    const checkpoint of [createCheckpoint(7, -0.25), { ...createCheckpoint(1), training: null }]
  ) {
    const bytes = encodeCheckpoint(checkpoint);
    const decoded = decodeCheckpoint(bytes, "file");
    assert.deepEqual(decoded, checkpoint);
    assert.deepEqual(encodeCheckpoint(decoded), bytes);
  }
});

Deno.test("encodeCheckpoint() writes safetensors that name every array, statistics in float64", () => {
  const { tensors, metadata } = decodeSafetensors(encodeCheckpoint(createCheckpoint(7)));
  assert.deepEqual(tensors["weights.actor.head.kernel"], {
    shape: [2, 2],
    values: Float32Array.of(1, -0, 1e-45, 0.1),
  });
  assert.deepEqual(tensors["normalizer.mean"]?.values, Float64Array.of(1 / 3, -1e-300));
  assert.deepEqual(
    tensors["training.trainer.optimizer.variances.1"]?.values,
    Float32Array.of(6, 5),
  );
  assert.equal(metadata.version, "2");
});

Deno.test("decodeCheckpoint() refuses every truncation and every altered byte", () => {
  const bytes = encodeCheckpoint(createCheckpoint(7));
  for (let i = 0; i < bytes.length; i += 13) {
    assert.throws(() => decodeCheckpoint(bytes.subarray(0, i), "file"), CheckpointError);
    const altered = bytes.slice();
    altered[i]! ^= 1;
    assert.throws(() => decodeCheckpoint(altered, "file"), CheckpointError, `byte ${i}`);
  }
});

Deno.test("decodeCheckpoint() says why it refuses a file", () => {
  const bytes = encodeCheckpoint(createCheckpoint(7));
  const { tensors, metadata } = decodeSafetensors(bytes);
  const other = (changes: Record<string, string>) =>
    encodeSafetensors({ tensors, metadata: { ...metadata, ...changes } });
  const altered = bytes.slice();
  altered[bytes.length - 1]! ^= 1;
  const cases: [Uint8Array, RegExp][] = [
    [altered, /^Cannot use checkpoint a\.bin: its SHA-256 must be \w{64}, .* truncated or was/],
    [bytes.subarray(0, 40), /the file must have \d+ bytes, current value is 40/],
    [other({ version: "1" }), /its version must be 2, current value is 1/],
    [other({ format: "pt" }), /its format must be signalbox-checkpoint, current value is pt/],
    [other({ sha256: "no" }), /its checksum must be 64 hexadecimal digits, current value is no/],
    [new TextEncoder().encode("not a checkpoint"), /header must have at most/],
  ];
  for (const [file, message] of cases) {
    assert.throws(() => decodeCheckpoint(file, "a.bin"), { name: "CheckpointError", message });
  }
});

Deno.test("encodeCheckpoint() refuses numbers that JSON would lose", () => {
  const checkpoint = createCheckpoint(1);
  const training = { ...checkpoint.training!, actionRng: [NaN] };
  assert.throws(
    () => encodeCheckpoint({ ...checkpoint, training }),
    { name: "TypeError", message: /training\.actionRng\.0 must be .* current value is NaN/ },
  );
});

Deno.test("saveCheckpoint() keeps the newest and the best", async () => {
  await inTemporaryFolder(async (folder) => {
    const runFolder = join(folder, "run", "checkpoints");
    const scores = [1, 9, 2, 3, 4, null];
    for (const [i, score] of scores.entries()) {
      await saveCheckpoint(runFolder, createCheckpoint(10 * (i + 1), score), { keepLast: 2 });
    }
    const entries = await listCheckpoints(runFolder);
    assert.deepEqual(entries.map(({ update }) => update), [20, 50, 60]);
    assert.deepEqual(entries[0]?.summary, { update: 20, decisions: 1280, score: 9 });
    assert.equal(bestOf(entries)?.update, 20);
    const equal = entries.map((entry) => ({ ...entry, summary: entries[0]!.summary }));
    assert.equal(bestOf(equal)?.update, 60, "the newest of equals");
    const names = await Array.fromAsync(Deno.readDir(runFolder), ({ name }) => name);
    assert.ok(names.every((name) => name.endsWith(".safetensors")), "no temporary file is left");
  });
});

Deno.test("saveCheckpoint() refuses to keep nothing", async () => {
  await assert.rejects(
    saveCheckpoint("unused", createCheckpoint(1), { keepLast: 0 }),
    { name: "RangeError", message: /keepLast must be an integer >= 1, current value is 0/ },
  );
});

Deno.test("loadCheckpoint() reads the newest of a folder, an older one only when asked", async () => {
  await inTemporaryFolder(async (folder) => {
    for (const update of [1, 2, 3]) {
      await saveCheckpoint(folder, createCheckpoint(update), { keepLast: 5 });
    }
    assert.equal((await loadCheckpoint(folder)).checkpoint.update, 3);
    const newest = join(folder, "checkpoint_00000003.safetensors");
    await Deno.truncate(newest, (await Deno.stat(newest)).size - 1);
    await assert.rejects(
      loadCheckpoint(folder),
      { name: "CheckpointError", message: /00000003\.safetensors: .* truncated or was altered/ },
    );
    const { checkpoint, path, skipped } = await loadCheckpoint(folder, { fallBack: true });
    assert.equal(checkpoint.update, 2);
    assert.equal(path, join(folder, "checkpoint_00000002.safetensors"));
    assert.deepEqual(skipped.map((error) => error.path), [newest]);
    assert.equal((await loadCheckpoint(path)).checkpoint.update, 2);
  });
});

Deno.test("saveCheckpoint() leaves files that it cannot read alone", async () => {
  await inTemporaryFolder(async (folder) => {
    const damaged = join(folder, "checkpoint_00000001.safetensors");
    await Deno.writeTextFile(damaged, "damaged");
    for (const update of [2, 3]) {
      await saveCheckpoint(folder, createCheckpoint(update), { keepLast: 1 });
    }
    const entries = await listCheckpoints(folder);
    assert.deepEqual(entries.map(({ update }) => update), [1, 3]);
    assert.match(entries[0]?.problem ?? "", /the file must have 8 bytes, current value is 7/);
  });
});

Deno.test("loadCheckpoint() says when there is nothing to load", async () => {
  await inTemporaryFolder(async (folder) => {
    await assert.rejects(loadCheckpoint(folder), /there must be at least one checkpoint/);
    await assert.rejects(loadCheckpoint(join(folder, "none")), /it must exist/);
    assert.deepEqual(await listCheckpoints(join(folder, "none")), []);
  });
});
