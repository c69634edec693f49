/** Running the commands of the project as a user does. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { tasks } = JSON.parse(readFileSync(`${root}/deno.json`, "utf8")) as {
  readonly tasks: Readonly<Record<string, { readonly command: string }>>;
};

/** What a command that has ended left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `deno task <task> <args>`, with the permissions that the task gives it; its output is piped. */
export function taskCommand(task: string, ...args: readonly string[]): Deno.Command {
  return denoRun([...tasks[task]!.command.split(" ").slice(2), ...args]);
}

/** Runs {@linkcode taskCommand} to its end. */
export function run(task: string, ...args: readonly string[]): Promise<Finished> {
  return finish(taskCommand(task, ...args));
}

/** Runs a script, by its path below the repository, with all permissions. */
export function runScript(path: string, ...args: readonly string[]): Promise<Finished> {
  return finish(denoRun(["-A", path, ...args]));
}

function denoRun(args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
}

async function finish(command: Deno.Command): Promise<Finished> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
