import assert from "node:assert/strict";
import { runPool } from "../../lib/sweep/worker_pool.ts";
import { withFolder } from "../_helpers.ts";

function createWorker(): Worker {
  return new Worker(new URL("./_pool_worker.ts", import.meta.url), { type: "module" });
}

Deno.test("runPool() returns outcomes in the order of the tasks, whatever the number of workers", async () => {
  const tasks = [3, 1, 4, 1, 5, 9, 2].map((value) => ({ act: "square", value }));
  for (const jobs of [1, 3, 16]) {
    const progress: number[] = [];
    const outcomes = await runPool<unknown, number, number>(tasks, {
      jobs,
      createWorker,
      onProgress: (task, value) => progress[task] = value,
    });
    assert.deepEqual(outcomes.map((o) => o.ok && o.output), [9, 1, 16, 1, 25, 81, 4]);
    assert.deepEqual(progress, tasks.map((task) => task.value));
  }
});

Deno.test("runPool() tries a crashed task once more in a new worker", () =>
  withFolder(async (folder) => {
    const attempts: number[] = [];
    const failures: boolean[] = [];
    const outcomes = await runPool<unknown, number, number>(
      [{ act: "throw", value: 7, marker: `${folder}/once` }, { act: "square", value: 2 }],
      {
        jobs: 1,
        createWorker,
        onStart: (task) => attempts.push(task),
        onFailed: (_task, error, final) => {
          assert.match(error.message, /crashed/);
          failures.push(final);
        },
      },
    );
    assert.deepEqual(outcomes, [{ ok: true, output: 49 }, { ok: true, output: 4 }]);
    assert.deepEqual(attempts, [0, 0, 1]);
    assert.deepEqual(failures, [false]);
  }));

Deno.test("runPool() gives up on a task after the retry and goes on with the others", async () => {
  const finals: boolean[] = [];
  const outcomes = await runPool<unknown, number, number>(
    [{ act: "throw", value: 1 }, { act: "fail", value: 2 }, { act: "square", value: 3 }],
    { jobs: 2, createWorker, onFailed: (_task, _error, final) => finals.push(final) },
  );
  assert.deepEqual(outcomes.map((outcome) => outcome.ok), [false, false, true]);
  assert.deepEqual(outcomes[1], { ok: false, error: { name: "Error", message: "no 2" } });
  assert.equal(finals.filter((final) => final).length, 2);
  assert.equal(finals.length, 4);
});

Deno.test("runPool() ends its workers when the signal fires", async () => {
  const controller = new AbortController();
  const pool = runPool<unknown, number, number>(
    [{ act: "square", value: 1 }, { act: "hang", value: 2 }, { act: "hang", value: 3 }],
    {
      jobs: 1,
      createWorker,
      signal: controller.signal,
      onStart: (task) => task === 1 && controller.abort(new DOMException("stop", "AbortError")),
    },
  );
  await assert.rejects(pool, { name: "AbortError" });
});

Deno.test("runPool() refuses a number of jobs that is no positive integer", async () => {
  for (const jobs of [0, -1, 1.5, NaN]) {
    await assert.rejects(runPool([], { jobs, createWorker }), {
      name: "RangeError",
      message: `Cannot start workers: jobs must be an integer >= 1, current value is ${jobs}`,
    });
  }
});
