/** `deno task profile calibrate`. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadProfile } from "../../lib/timing/mod.ts";

const PROFILE = fileURLToPath(new URL("../../lib/cli/profile.ts", import.meta.url));

async function calibrate(...args: string[]): Promise<{ code: number; output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROFILE, "calibrate", ...args],
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** An idle engine: a request every five seconds, 0.25 s to the first token and 0.02 s for each other. */
function logLines(count: number): Record<string, number>[] {
  return Array.from({ length: count }, (_, i) => ({
    input_toks: 500 + 10 * (i % 7),
    output_toks: 51,
    queued_ts: 5 * i,
    first_token_ts: 5 * i + 0.25,
    last_token_ts: 5 * i + 1.25,
  }));
}

Deno.test("deno task profile calibrate writes a profile that the simulator takes, or nothing", async () => {
  const folder = await Deno.makeTempDir();
  const log = `${folder}/requests.jsonl`;
  const out = `${folder}/profile.json`;
  const write = (lines: unknown[]): Promise<void> =>
    Deno.writeTextFile(log, lines.map((line) => JSON.stringify(line)).join("\n"));
  const settings = ["--gpu", "a40", "--model", "meta-llama/Meta-Llama-3-8B"]
    .concat(
      "--max-num-seqs",
      "8",
      "--max-num-batched-tokens",
      "2048",
      "--folds",
      "2",
      "--out",
      out,
    );
  const refuse = async (args: string[], message: RegExp): Promise<void> => {
    const { code, output } = await calibrate(log, ...args);
    assert.equal(code, 2, output);
    assert.match(output, message);
    assert.equal(existsSync(out), false);
  };
  try {
    const lines = logLines(40);
    await write([...lines.slice(0, 3), { ...lines[3], first_token_ts: 1 }]);
    await refuse(settings, /requests\.jsonl, line 4: times must not decrease/);
    await write(lines.map(({ output_toks: _, ...line }) => line));
    await refuse(settings, /requests\.jsonl, line 1: it has no output_toks/);
    await write(lines.slice(0, 20));
    await refuse(settings, /must be >= 40 for 2 folds, current value is 20/);
    await write(lines);
    await refuse(settings.slice(2), /gpu must be given, or stated in meta\.json/);

    const { code, output } = await calibrate(log, ...settings);
    assert.equal(code, 0, output);
    assert.match(output, /second half, held out/);
    const profile = loadProfile(out);
    assert.ok(profile.kind === "analytic");
    assert.ok(Math.abs(profile.halves.heldOut.tpot) < 0.05, String(profile.halves.heldOut.tpot));
    assert.ok(existsSync(`${folder}/profile.html`));
    const again = await calibrate(log, ...settings);
    assert.equal(again.code, 2);
    assert.match(again.output, /profile\.json exists already/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
