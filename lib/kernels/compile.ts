/**
 * Compilation of functions of tensors into a list of kernel calls.
 *
 * @module
 */
import { tf } from "./_tensorflow.ts";
import { type Allocator, sizeClass } from "./_heap.ts";
import { type HeapData, type KernelCall, type Recorder, SimdBackend } from "./simd_backend.ts";

/** What to compile a function for. */
export interface CompileOptions<I extends string> {
  /** Shape of each input; float32. */
  readonly inputShapes: Readonly<Record<I, readonly number[]>>;
  /** Variables that may change between runs; every other tensor is a constant. */
  readonly variables: readonly tf.Variable[];
}

/** A function of fixed shapes whose runs allocate nothing. */
export interface CompiledFunction<I extends string, O extends string> {
  /** Where to write the inputs: views that stay valid until `dispose`. */
  readonly inputs: Readonly<Record<I, Float32Array>>;
  /** Where the results are after a run: views that stay valid until `dispose`. */
  readonly outputs: Readonly<Record<O, Float32Array>>;
  /** Computes the outputs from the inputs and the variables' present values. */
  run(): void;
  /** Frees the memory. */
  dispose(): void;
}

/** Whether {@linkcode compileFunction} works on the active backend. */
export function canCompile(): boolean {
  return tf.backend() instanceof SimdBackend;
}

/**
 * Runs `f` once on the `simd` backend, notes which kernels it calls on which memory, and returns a
 * function that makes the same calls again without any work in tfjs. Results are those of `f`, to
 * the last bit. `f` may compute gradients.
 *
 * `f` must be a pure function of its inputs and `variables`, of kernels that run in WebAssembly; it
 * must not read tensors' values. What depends on anything else is fixed at compile time.
 *
 * @throws {Error} When the active backend is another one, or `f` does what cannot be compiled.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { compileFunction, registerSimdBackend } from "@signalbox/signalbox/kernels";
 * import assert from "node:assert/strict";
 *
 * await tf.setBackend(registerSimdBackend());
 * const scale = tf.variable(tf.scalar(3));
 * const triple = compileFunction(({ x }) => ({ y: tf.mul(x, scale) }), {
 *   inputShapes: { x: [2] },
 *   variables: [scale],
 * });
 * triple.inputs.x.set([1, 2]);
 * triple.run();
 * assert.deepEqual([...triple.outputs.y], [3, 6]);
 * ```
 */
export function compileFunction<I extends string, O extends string>(
  f: (inputs: Record<I, tf.Tensor>) => Record<O, tf.Tensor>,
  { inputShapes, variables }: CompileOptions<I>,
): CompiledFunction<I, O> {
  const backend = tf.backend();
  if (!(backend instanceof SimdBackend)) {
    throw new Error(
      `Cannot compile a function: backend must be simd, current value is ${tf.getBackend()}`,
    );
  }
  const recording = new Recording(backend, variables);
  const inputs = {} as Record<I, Float32Array>;
  const outputs = {} as Record<O, Float32Array>;
  const record = () => {
    const tensors = {} as Record<I, tf.Tensor>;
    for (const [name, shape] of Object.entries(inputShapes) as [I, readonly number[]][]) {
      const { info, pointer } = backend.output(shape);
      recording.pin(pointer);
      tensors[name] = tf.engine().makeTensorFromTensorInfo(info, backend);
      inputs[name] = backend.view(pointer, tensors[name].size).fill(0);
    }
    for (const [name, tensor] of Object.entries(f(tensors)) as [O, tf.Tensor][]) {
      outputs[name] = backend.view(backend.pointer(tensor), tensor.size);
    }
  };
  try {
    backend.withRecorder(recording, () => tf.tidy(record));
  } catch (error) {
    recording.dispose();
    throw error;
  }
  return {
    inputs,
    outputs,
    run: () => recording.replay(),
    dispose: () => recording.dispose(),
  };
}

/** A tensor from outside the recorded function, as the recorded calls see it. */
interface Leaf {
  /** Where changes come from; undefined for a constant. */
  readonly variable: tf.Variable | undefined;
  /** Whose values the copies hold. */
  dataId: object;
  /** Plain copy, if any call needs it. */
  pointer: number | undefined;
  readonly length: number;
  /** Packed copies of op(B) [k, n]. */
  readonly packed: { readonly pointer: number; readonly n: number; readonly k: number }[];
}

/** The calls of one function and the memory that they work on. */
class Recording implements Recorder {
  readonly #backend: SimdBackend;
  readonly #heap: Allocator;
  readonly #variables: ReadonlyMap<object, tf.Variable>;
  readonly #leaves = new Map<object, Leaf>();
  readonly #calls: { kernel: (...args: number[]) => void; args: readonly number[] }[] = [];
  readonly #blocks: { pointer: number; bytes: number }[] = [];
  readonly #freeBlocks = new Map<number, number[]>();
  readonly #pinned = new Set<number>();

  constructor(backend: SimdBackend, variables: readonly tf.Variable[]) {
    this.#backend = backend;
    this.#heap = backend.heap;
    this.#variables = new Map(variables.map((variable) => [variable.dataId, variable]));
  }

  /**
   * Blocks that the function has freed are used again, as replaying repeats the calls in order. This
   * keeps the working set small: without it a training step would run from main memory.
   */
  allocate(bytes: number): number {
    return this.#freeBlocks.get(sizeClass(bytes))?.pop() ?? this.#allocateFresh(bytes);
  }

  free(pointer: number, bytes: number): void {
    if (this.#pinned.has(pointer)) return;
    const size = sizeClass(bytes);
    const blocks = this.#freeBlocks.get(size);
    if (blocks === undefined) this.#freeBlocks.set(size, [pointer]);
    else blocks.push(pointer);
  }

  /** Keeps a block from being used again even if its tensor is disposed of: it is an input. */
  pin(pointer: number): void {
    this.#pinned.add(pointer);
  }

  /** A block that no call has used before: its contents are written before a replay. */
  #allocateFresh(bytes: number): number {
    const pointer = this.#heap.allocate(bytes);
    this.#blocks.push({ pointer, bytes });
    return pointer;
  }

  record(name: KernelCall, args: readonly number[]): void {
    const kernel = this.#backend.kernels[name] as (...args: number[]) => void;
    this.#calls.push({ kernel, args });
  }

  refuse(what: string): never {
    throw new Error(`Cannot compile a function: it must not use ${what}`);
  }

  leafPointer(dataId: object, data: HeapData): number {
    const leaf = this.#leaf(dataId, data);
    if (leaf.pointer === undefined) {
      leaf.pointer = this.#allocateFresh(data.length * 4);
      this.#copy(leaf, data.pointer);
    }
    return leaf.pointer;
  }

  packedLeaf(dataId: object, data: HeapData, n: number, k: number): number {
    const leaf = this.#leaf(dataId, data);
    const known = leaf.packed.find((packed) => packed.n === n && packed.k === k);
    if (known !== undefined) return known.pointer;
    const pointer = this.#allocateFresh(this.#backend.kernels.packedSize(n, k));
    leaf.packed.push({ pointer, n, k });
    this.#backend.kernels.packMatrix(data.pointer, 0, n, k, pointer);
    return pointer;
  }

  /** Brings the copies of changed variables up to date and repeats the calls. */
  replay(): void {
    for (const leaf of this.#leaves.values()) {
      if (leaf.variable === undefined || leaf.variable.dataId === leaf.dataId) continue;
      this.#copy(leaf, this.#backend.pointer(leaf.variable));
      leaf.dataId = leaf.variable.dataId;
    }
    for (const { kernel, args } of this.#calls) kernel(...args);
  }

  dispose(): void {
    for (const { pointer, bytes } of this.#blocks) this.#heap.free(pointer, bytes);
    this.#blocks.length = 0;
    this.#calls.length = 0;
    this.#leaves.clear();
  }

  #leaf(dataId: object, data: HeapData): Leaf {
    let leaf = this.#leaves.get(dataId);
    if (leaf === undefined) {
      leaf = {
        variable: this.#variables.get(dataId),
        dataId,
        pointer: undefined,
        length: data.length,
        packed: [],
      };
      this.#leaves.set(dataId, leaf);
    }
    return leaf;
  }

  /** Copies the values at `from` into the leaf's copies. */
  #copy({ pointer, length, packed }: Leaf, from: number): void {
    const { kernels } = this.#backend;
    if (pointer !== undefined) kernels.copyRows(from, 0, pointer, 0, length * 4, 1);
    for (const { pointer: to, n, k } of packed) kernels.packMatrix(from, 0, n, k, to);
  }
}
