/**
 * A tfjs backend whose tensors live in the kernels' memory.
 *
 * @module
 */
import { tf } from "./_tensorflow.ts";
import { type Allocator, Heap } from "./_heap.ts";
import { type KernelExports, type KernelModule, loadKernels } from "./_module.ts";

/** Values of a float32 tensor in the kernels' memory; has the shape of tfjs's `TensorData`. */
export class HeapData {
  readonly dtype = "float32";
  refCount = 1;
  readonly #backend: SimdBackend;
  #values: Float32Array | undefined;

  constructor(
    backend: SimdBackend,
    readonly allocator: Allocator,
    readonly pointer: number,
    readonly length: number,
  ) {
    this.#backend = backend;
  }

  /** View of the values, made when JavaScript code first asks for it. */
  get values(): Float32Array {
    return this.#values ??= this.#backend.view(this.pointer, this.length);
  }
}

/** Where a kernel writes: a new tensor and the address of its values. */
export interface Output {
  /** Handle for tfjs. */
  readonly info: tf.TensorInfo;
  /** Address of the values. */
  readonly pointer: number;
}

/** Listens to kernel calls while a function is compiled (see `compile.ts`). */
export interface Recorder extends Allocator {
  /** Notes a kernel call. */
  record(name: KernelCall, args: readonly number[]): void;
  /** Address that stands for a tensor which the recorded function did not compute. */
  leafPointer(dataId: object, data: HeapData): number;
  /** Address of the packed form of op(B) [k, n], kept up to date; undefined unless B is a leaf. */
  packedLeaf(dataId: object, data: HeapData, n: number, k: number): number | undefined;
  /** Refuses the named operation. */
  refuse(what: string): never;
}

/** Names of kernels that compute (rather than tell a size). */
export type KernelCall = Exclude<
  keyof KernelExports,
  "gemmScratch" | "gruBackwardScratch" | "gruForwardScratch" | "packedSize" | "sumSquares"
>;

/**
 * tfjs's `cpu` backend with the values of float32 tensors in WebAssembly memory. Registered by
 * {@linkcode registerSimdBackend}; not made by hand.
 *
 * Values that JavaScript kernels produce start as ordinary arrays and move into the memory when one
 * of our kernels first needs them.
 */
export class SimdBackend extends tf.MathBackendCPU {
  readonly #module: KernelModule;
  readonly #heap: Heap;
  /** The memory under all its names: growing gives it a new buffer object, old ones stay valid. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  #recorder: Recorder | undefined;

  /** @param relaxed Whether to use fused multiply-adds; by default whatever the engine accepts. */
  constructor(relaxed?: boolean) {
    super();
    this.#module = loadKernels(relaxed);
    this.#heap = new Heap(this.#module.memory);
  }

  /** The kernels themselves: for sizes and scalars; computing goes through `call`. */
  get kernels(): KernelExports {
    return this.#module.kernels;
  }

  /** Whether products are fused multiply-adds. */
  get relaxed(): boolean {
    return this.#module.relaxed;
  }

  /** Bytes of tensors, and bytes taken from the system for them. */
  get heapBytes(): { readonly used: number; readonly reserved: number } {
    return { used: this.#heap.usedBytes, reserved: this.#heap.reservedBytes };
  }

  /** The allocator beneath everything; blocks from it outlive recordings. */
  get heap(): Allocator {
    return this.#heap;
  }

  /** Who listens, if anybody. */
  get recorder(): Recorder | undefined {
    return this.#recorder;
  }

  /** View of a part of the memory. */
  view(pointer: number, length: number): Float32Array {
    const { buffer } = this.#module.memory;
    this.#buffers.add(buffer);
    return new Float32Array(buffer, pointer, length);
  }

  /** Address of an array that {@linkcode SimdBackend.view} made; undefined for any other. */
  address(array: Float32Array): number | undefined {
    return this.#buffers.has(array.buffer) ? array.byteOffset : undefined;
  }

  /** Runs `f` with a recorder listening. */
  withRecorder<T>(recorder: Recorder, f: () => T): T {
    if (this.#recorder !== undefined) throw new Error("Cannot record: a recording is under way");
    this.#recorder = recorder;
    try {
      return f();
    } finally {
      this.#recorder = undefined;
    }
  }

  /** Runs a kernel. */
  call(name: KernelCall, ...args: number[]): void {
    (this.#module.kernels[name] as (...args: number[]) => void)(...args);
    this.#recorder?.record(name, args);
  }

  /** A new float32 tensor, contents undefined. */
  output(shape: readonly number[]): Output {
    const length = tf.util.sizeFromShape(shape as number[]);
    const allocator = this.#recorder ?? this.#heap;
    const pointer = allocator.allocate(length * 4);
    const dataId = {};
    this.data.set(dataId, new HeapData(this, allocator, pointer, length));
    return { info: { dataId, shape: shape as number[], dtype: "float32" }, pointer };
  }

  /** Runs `f` with the address of a block that is free again afterwards. */
  withScratch(bytes: number, f: (pointer: number) => void): void {
    const allocator = this.#recorder ?? this.#heap;
    const pointer = allocator.allocate(bytes);
    f(pointer);
    allocator.free(pointer, bytes);
  }

  /** Address of a float32 tensor's values, which are moved into the memory first if need be. */
  pointer(tensor: tf.TensorInfo): number {
    const data = this.#heapData(tensor);
    const recorder = this.#recorder;
    if (recorder === undefined || data.allocator === recorder) return data.pointer;
    return recorder.leafPointer(tensor.dataId, data);
  }

  /** Address of op(B) [k, n] in packed form when a recorder keeps one for this tensor. */
  packedPointer(tensor: tf.TensorInfo, n: number, k: number): number | undefined {
    const recorder = this.#recorder;
    if (recorder === undefined) return undefined;
    const data = this.#heapData(tensor);
    if (data.allocator === recorder) return undefined;
    return recorder.packedLeaf(tensor.dataId, data, n, k);
  }

  #heapData(tensor: tf.TensorInfo): HeapData {
    const present = this.data.get(tensor.dataId) as unknown;
    if (present instanceof HeapData) return present;
    const { values, refCount } = present as { values: Float32Array; refCount: number };
    const pointer = this.#heap.allocate(values.length * 4);
    const data = new HeapData(this, this.#heap, pointer, values.length);
    data.refCount = refCount;
    data.values.set(values);
    this.data.set(tensor.dataId, data);
    return data;
  }

  override write(
    values: tf.backend_util.BackendValues,
    _shape: number[],
    dtype: tf.DataType,
  ): tf.DataId {
    const dataId = {};
    // Some of tfjs's kernels return views of their input: such values get their own array here.
    const isView = ArrayBuffer.isView(values) && values.buffer instanceof SharedArrayBuffer;
    const own = isView ? (values as Float32Array).slice() : values;
    this.data.set(dataId, { values: own, dtype, refCount: 1 });
    return dataId;
  }

  override readSync(dataId: tf.DataId): tf.backend_util.BackendValues {
    if (this.#recorder !== undefined) this.#recorder.refuse("reading a tensor's values");
    const data = this.data.get(dataId) as unknown;
    // A copy: the memory is used again once the tensor is disposed of.
    return data instanceof HeapData ? data.values.slice() : super.readSync(dataId);
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const data = this.data.get(dataId) as unknown;
    const released = super.disposeData(dataId, force);
    if (released && data instanceof HeapData) data.allocator.free(data.pointer, data.length * 4);
    return released;
  }
}
