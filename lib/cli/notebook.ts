// deno-lint-ignore-file no-console
/**
 * `deno task notebook`: opens the notebooks in Jupyter on this very Deno, or executes and checks
 * them.
 *
 * @module
 */
import { Command } from "commander";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../support/mod.ts";
import { parseArguments } from "./_arguments.ts";
import { runCommand } from "./_run_command.ts";
import { checkNotebook, MissingChartError, type Notebook } from "./_check_notebook.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NOTEBOOKS = join(ROOT, "notebooks");

/** How often a notebook runs at the most, because the kernel loses an output now and then. */
const MAX_RUNS = 3;

interface NotebookOptions {
  readonly execute?: true;
  readonly out?: string;
}

/** The `jupyter` program: the project's own `.venv` first, then the PATH. */
async function findJupyter(): Promise<string> {
  const local = join(ROOT, ".venv", "bin", "jupyter");
  for (const candidate of [local, "jupyter"]) {
    try {
      const { success } = await new Deno.Command(candidate, {
        args: ["--version"],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return candidate;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new UsageError(
    "Cannot start Jupyter: neither .venv/bin/jupyter nor a jupyter on the PATH was found; " +
      "install it with: python3 -m venv .venv && .venv/bin/pip install -r .ci/requirements.txt",
  );
}

/**
 * A folder to put on JUPYTER_PATH, in which the kernel named `deno` is the Deno that runs now, so
 * that a notebook never runs on another version than the one the project pins.
 */
async function makeKernelPath(): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "signalbox-kernel-" });
  const folder = join(path, "kernels", "deno");
  await Deno.mkdir(folder, { recursive: true });
  const kernel = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    "display_name": "Deno",
    language: "typescript",
  };
  await Deno.writeTextFile(join(folder, "kernel.json"), JSON.stringify(kernel, null, 2));
  return path;
}

/** Runs Jupyter with the kernel above in front of the search path. */
async function jupyter(args: readonly string[], kernelPath: string): Promise<void> {
  const inherited = Deno.env.get("JUPYTER_PATH");
  const status = await new Deno.Command(await findJupyter(), {
    args: [...args],
    env: { JUPYTER_PATH: inherited ? `${kernelPath}:${inherited}` : kernelPath },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!status.success) throw new UsageError(`Jupyter ended with exit code ${status.code}`);
}

/** All notebooks of the project, by name. */
function allNotebooks(): string[] {
  return [...Deno.readDirSync(NOTEBOOKS)]
    .filter((entry) => entry.isFile && entry.name.endsWith(".ipynb"))
    .map((entry) => join(NOTEBOOKS, entry.name))
    .sort();
}

/** Runs one notebook through nbconvert into `out`. */
async function convert(path: string, out: string, kernelPath: string): Promise<Notebook> {
  const name = basename(path);
  await jupyter(
    ["nbconvert", "--to", "notebook", "--execute", path, "--output-dir", out, "--output", name],
    kernelPath,
  );
  return JSON.parse(await Deno.readTextFile(join(out, name))) as Notebook;
}

/**
 * Executes one notebook into `out` and refuses errors and missing charts. A chart that is missing
 * though its cell succeeded may have been lost on the way (`displayChart()` pushes it out of
 * the kernel, which promises nothing), so the notebook then runs again.
 */
async function execute(path: string, out: string, kernelPath: string): Promise<string> {
  await Deno.mkdir(out, { recursive: true });
  const name = basename(path);
  for (let run = 1;; run++) {
    const notebook = await convert(path, out, kernelPath);
    try {
      const { cells, charts } = checkNotebook(name, notebook);
      return `${name}: ${cells} code cells ran, ${charts} charts shown`;
    } catch (error) {
      if (!(error instanceof MissingChartError) || run === MAX_RUNS) throw error;
      console.log(`${error.message}; running the notebook once more`);
    }
  }
}

const program = new Command("notebook")
  .description("Opens the notebooks in JupyterLab, or executes and checks them")
  .argument("[files...]", "notebooks (default: all of notebooks/)")
  .option("--execute", "run them through nbconvert and fail on any error or missing chart")
  .option("--out <dir>", "with --execute: where the executed copies go (default: a new folder)");

await runCommand(async (args) => {
  const { execute: batch, out } = parseArguments(program, args).opts<NotebookOptions>();
  if (out !== undefined && batch !== true) {
    throw new UsageError("Cannot open the notebooks: --out must be given with --execute");
  }
  const kernelPath = await makeKernelPath();
  try {
    if (batch !== true) {
      await jupyter(["lab", ...(program.args.length > 0 ? program.args : [NOTEBOOKS])], kernelPath);
      return;
    }
    const folder = out ?? await Deno.makeTempDir({ prefix: "signalbox-notebooks-" });
    const files = program.args.length > 0 ? program.args : allNotebooks();
    for (const file of files) console.log(await execute(file, folder, kernelPath));
    console.log(`Executed copies: ${folder}`);
  } finally {
    await Deno.remove(kernelPath, { recursive: true });
  }
});
