/**
 * Loading of the compiled kernels.
 *
 * Pointers are byte offsets into one shared memory. It is shared because a shared memory grows
 * without detaching the views that exist; sizes are counts of elements unless a name says bytes.
 */

/** What `assembly/index.ts` exports; see there for the meaning of the arguments. */
export interface KernelExports {
  adam(
    parameter: number,
    gradient: number,
    mean: number,
    variance: number,
    newParameter: number,
    newMean: number,
    newVariance: number,
    n: number,
    gradientScale: number,
    stepSize: number,
    inverseRootCorrection: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void;
  binary(
    operation: number,
    a: number,
    aRowStride: number,
    aColumnStride: number,
    b: number,
    bRowStride: number,
    bColumnStride: number,
    out: number,
    rows: number,
    columns: number,
  ): void;
  clip(x: number, low: number, high: number, out: number, n: number): void;
  copyRows(
    from: number,
    fromStepBytes: number,
    to: number,
    toStepBytes: number,
    bytes: number,
    rows: number,
  ): void;
  gemm(
    a: number,
    aTransposed: number,
    b: number,
    bTransposed: number,
    c: number,
    m: number,
    n: number,
    k: number,
    init: number,
    initStride: number,
    scratch: number,
  ): void;
  gemmPacked(
    a: number,
    aTransposed: number,
    packed: number,
    c: number,
    m: number,
    n: number,
    k: number,
    init: number,
    initStride: number,
    scratch: number,
  ): void;
  gemmScratch(n: number, k: number): number;
  gruBackward(
    x: number,
    h0: number,
    keep: number,
    inputKernel: number,
    recurrentKernel: number,
    out: number,
    saved: number,
    dOut: number,
    dx: number,
    dH0: number,
    dInputKernel: number,
    dInputBias: number,
    dRecurrentKernel: number,
    dRecurrentBias: number,
    steps: number,
    batch: number,
    inputs: number,
    units: number,
    scratch: number,
  ): void;
  gruBackwardScratch(steps: number, batch: number, inputs: number, units: number): number;
  gruForward(
    x: number,
    h0: number,
    keep: number,
    inputKernel: number,
    inputBias: number,
    recurrentKernel: number,
    recurrentBias: number,
    packed: number,
    out: number,
    saved: number,
    steps: number,
    batch: number,
    inputs: number,
    units: number,
    scratch: number,
  ): void;
  gruForwardScratch(steps: number, batch: number, inputs: number, units: number): number;
  layerNorm(
    x: number,
    gain: number,
    bias: number,
    out: number,
    rows: number,
    n: number,
    epsilon: number,
  ): void;
  layerNormGradient(
    x: number,
    gain: number,
    dy: number,
    dx: number,
    dGain: number,
    dBias: number,
    rows: number,
    n: number,
    epsilon: number,
  ): void;
  packedSize(n: number, k: number): number;
  packMatrix(b: number, transposed: number, n: number, k: number, out: number): void;
  reduce(
    operation: number,
    x: number,
    out: number,
    outer: number,
    n: number,
    inner: number,
    scale: number,
  ): void;
  softmax(x: number, out: number, rows: number, n: number, logarithm: number): void;
  sumSquares(x: number, n: number): number;
  transpose(x: number, out: number, rows: number, columns: number): void;
  unary(operation: number, x: number, out: number, n: number): void;
  unaryGradient(operation: number, saved: number, dy: number, dx: number, n: number): void;
}

/** A compiled module with its memory. */
export interface KernelModule {
  /** The kernels. */
  readonly kernels: KernelExports;
  /** Their memory. */
  readonly memory: WebAssembly.Memory;
  /** Whether products are fused multiply-adds (relaxed SIMD). */
  readonly relaxed: boolean;
}

/** 64 KiB. */
export const PAGE_BYTES = 65536;

/** Pages at the start: 4 MiB. */
const INITIAL_PAGES = 64;

/** The limit that the modules are compiled with: 4 GiB. */
const MAXIMUM_PAGES = 65536;

/**
 * Compiles and instantiates the kernels.
 *
 * @param relaxed Whether to use fused multiply-adds; by default whatever the engine accepts.
 */
export function loadKernels(relaxed?: boolean): KernelModule {
  const relaxedBytes = readModule("kernels_relaxed.wasm");
  const fused = relaxed ?? WebAssembly.validate(relaxedBytes);
  const bytes = fused ? relaxedBytes : readModule("kernels_plain.wasm");
  const memory = new WebAssembly.Memory({
    initial: INITIAL_PAGES,
    maximum: MAXIMUM_PAGES,
    shared: true,
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return { kernels: instance.exports as unknown as KernelExports, memory, relaxed: fused };
}

function readModule(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(name, import.meta.url));
}
