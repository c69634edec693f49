/**
 * Compiles `assembly/` into the two committed modules, `kernels_relaxed.wasm` (fused multiply-add)
 * and `kernels_plain.wasm`.
 *
 * ```sh
 * deno run -A lib/kernels/build.ts          # rebuild
 * deno run -A lib/kernels/build.ts --check  # exit 1 unless the committed bytes are what it builds
 * ```
 *
 * @module
 */
import asc from "assemblyscript/asc";

const SOURCE = new URL("./assembly/", import.meta.url);

/** Compiler features of each module, by file name. */
const MODULES: ReadonlyMap<string, string> = new Map([
  ["kernels_relaxed.wasm", "simd,relaxed-simd,threads"],
  ["kernels_plain.wasm", "simd,threads"],
]);

/** The bytes of one module. */
async function compile(features: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      "index.ts",
      "--outFile=module.wasm",
      "--runtime=stub",
      "--optimizeLevel=3",
      "--noAssert",
      "--importMemory",
      "--sharedMemory",
      "--initialMemory=16",
      "--maximumMemory=65536",
      // Constants go below the first block of the heap, see _heap.ts.
      "--memoryBase=64",
      `--enable=${features}`,
      "--disableWarning=112",
    ],
    {
      readFile: (name) => readSource(name),
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) {
    throw new Error(`Cannot compile the kernels: ${error?.message ?? "no output"}\n${stderr}`);
  }
  return binary;
}

/** The text of a source file, or null when the compiler asks for one that does not exist. */
function readSource(name: string): string | null {
  try {
    return Deno.readTextFileSync(new URL(name, SOURCE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const stale: string[] = [];
  for (const [name, features] of MODULES) {
    const binary = await compile(features);
    const file = new URL(name, import.meta.url);
    if (!check) Deno.writeFileSync(file, binary);
    else if (!sameBytes(binary, Deno.readFileSync(file))) stale.push(name);
  }
  if (stale.length > 0) {
    throw new Error(`Cannot accept ${stale.join(", ")}: the sources build other bytes`);
  }
}
