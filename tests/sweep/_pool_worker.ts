/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// A worker whose behaviour the task dictates: see worker_pool_test.ts.
interface Task {
  readonly act: "square" | "throw" | "fail" | "hang";
  readonly value: number;
  readonly marker?: string;
}

self.onmessage = ({ data }: MessageEvent<Task>): void => {
  const first = data.marker !== undefined && claim(data.marker);
  if (data.act === "throw" && (first || data.marker === undefined)) throw new Error("crashed");
  if (data.act === "fail") {
    self.postMessage({ kind: "failed", error: { name: "Error", message: `no ${data.value}` } });
  } else if (data.act !== "hang") {
    self.postMessage({ kind: "progress", progress: data.value });
    self.postMessage({ kind: "done", output: data.value * data.value });
  }
};

/** True for the first caller only. */
function claim(path: string): boolean {
  try {
    Deno.openSync(path, { write: true, createNew: true }).close();
    return true;
  } catch {
    return false;
  }
}
