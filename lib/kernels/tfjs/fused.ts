/** The fused layers of the `simd` backend and their gradients. */
import type { tf } from "../_tensorflow.ts";
import { UNARY_OPERATIONS } from "../_operations.ts";
import type { SimdBackend } from "../simd_backend.ts";
import { type SimdKernel, sizeOf } from "./_kernel.ts";
import { multiply, multiplyPacked } from "./matrix.ts";

/** Activations whose slope follows from their output, so that they can share the output's array. */
export type InPlaceActivation = "linear" | "relu" | "tanh";

const ACTIVATION_CODES: Readonly<Record<Exclude<InPlaceActivation, "linear">, number>> = {
  relu: UNARY_OPERATIONS.Relu,
  tanh: UNARY_OPERATIONS.Tanh,
};

/** y = f(y) in place. */
function activate(
  backend: SimdBackend,
  activation: InPlaceActivation,
  y: number,
  size: number,
): void {
  if (activation === "linear") return;
  backend.call("unary", ACTIVATION_CODES[activation], y, y, size);
}

/** Calls `f` with the address of dy * f'(y), which is dy itself for a linear layer. */
function withSlope(
  backend: SimdBackend,
  { activation, y, dy, size }: {
    readonly activation: InPlaceActivation;
    readonly y: number;
    readonly dy: number;
    readonly size: number;
  },
  f: (dz: number) => void,
): void {
  if (activation === "linear") return f(dy);
  backend.withScratch(size * 4, (dz) => {
    backend.call("unaryGradient", ACTIVATION_CODES[activation], y, dy, dz, size);
    f(dz);
  });
}

type Named = Readonly<Record<string, tf.TensorInfo>>;

/** f(x [m, k] kernel [k, n] + bias [n]). */
const dense: SimdKernel = ({ inputs, attrs, backend }) => {
  const { x, kernel, bias } = inputs as Named & { x: tf.TensorInfo };
  const [m, k] = x.shape as [number, number];
  const n = kernel!.shape[1]!;
  const a = backend.pointer(x);
  const packed = backend.packedPointer(kernel!, n, k);
  const biasPointer = backend.pointer(bias!);
  const { info, pointer } = backend.output([m, n]);
  if (packed !== undefined) {
    multiplyPacked(backend, { a, packed, c: pointer, m, n, k, bias: biasPointer });
  } else {
    multiply(backend, {
      a,
      aTransposed: false,
      b: backend.pointer(kernel!),
      bTransposed: false,
      c: pointer,
      m,
      n,
      k,
      bias: biasPointer,
    });
  }
  activate(backend, attrs.activation, pointer, m * n);
  return info;
};

/** Gradients of `dense` with respect to x, kernel and bias. */
const denseGradient: SimdKernel = ({ inputs, attrs, backend }) => {
  const { x, kernel, y, dy } = inputs as Named & { x: tf.TensorInfo };
  const [m, k] = x.shape as [number, number];
  const n = kernel!.shape[1]!;
  const xPointer = backend.pointer(x);
  const kernelPointer = backend.pointer(kernel!);
  const slope = {
    activation: attrs.activation as InPlaceActivation,
    y: backend.pointer(y!),
    dy: backend.pointer(dy!),
    size: m * n,
  };
  const dx = backend.output([m, k]);
  const dKernel = backend.output([k, n]);
  const dBias = backend.output([n]);
  withSlope(backend, slope, (dz) => {
    multiply(backend, {
      a: dz,
      aTransposed: false,
      b: kernelPointer,
      bTransposed: true,
      c: dx.pointer,
      m,
      n: k,
      k: n,
    });
    multiply(backend, {
      a: xPointer,
      aTransposed: true,
      b: dz,
      bTransposed: false,
      c: dKernel.pointer,
      m: k,
      n,
      k: m,
    });
    backend.call("reduce", 0, dz, dBias.pointer, 1, m, n, 1);
  });
  return [dx.info, dKernel.info, dBias.info];
};

/** f(gain * (x - mean) / deviation + bias) over the last axis. */
const layerNorm: SimdKernel = ({ inputs, attrs, backend }) => {
  const { x, gain, bias } = inputs as Named & { x: tf.TensorInfo };
  const n = x.shape[x.shape.length - 1]!;
  const size = sizeOf(x.shape);
  const from = backend.pointer(x);
  const gainPointer = backend.pointer(gain!);
  const biasPointer = backend.pointer(bias!);
  const { info, pointer } = backend.output(x.shape);
  const rows = sizeOf(x.shape.slice(0, -1));
  backend.call("layerNorm", from, gainPointer, biasPointer, pointer, rows, n, attrs.epsilon);
  activate(backend, attrs.activation, pointer, size);
  return info;
};

/** Gradients of `layerNorm` with respect to x, gain and bias. */
const layerNormGradient: SimdKernel = ({ inputs, attrs, backend }) => {
  const { x, gain, y, dy } = inputs as Named & { x: tf.TensorInfo };
  const n = x.shape[x.shape.length - 1]!;
  const rows = sizeOf(x.shape.slice(0, -1));
  const xPointer = backend.pointer(x);
  const gainPointer = backend.pointer(gain!);
  const slope = {
    activation: attrs.activation as InPlaceActivation,
    y: backend.pointer(y!),
    dy: backend.pointer(dy!),
    size: rows * n,
  };
  const dx = backend.output(x.shape);
  const dGain = backend.output([n]);
  const dBias = backend.output([n]);
  withSlope(backend, slope, (dz) => {
    backend.call(
      "layerNormGradient",
      xPointer,
      gainPointer,
      dz,
      dx.pointer,
      dGain.pointer,
      dBias.pointer,
      rows,
      n,
      attrs.epsilon,
    );
  });
  return [dx.info, dGain.info, dBias.info];
};

/** Sizes of a GRU call. */
function gruSizes(inputs: Named): [steps: number, batch: number, features: number, units: number] {
  const [steps, batch] = inputs.keep!.shape as [number, number];
  return [steps, batch, inputs.input!.shape[1]!, inputs.initialHiddenState!.shape[1]!];
}

/** Hidden states of all steps, and what the backward pass needs of the gates. */
const gruSequence: SimdKernel = ({ inputs, backend }) => {
  const sizes = gruSizes(inputs);
  const [steps, batch, features, units] = sizes;
  const leading = [inputs.input!, inputs.initialHiddenState!, inputs.keep!]
    .map((tensor) => backend.pointer(tensor));
  const packedInput = backend.packedPointer(inputs.inputKernel!, 3 * units, features);
  const packedRecurrent = backend.packedPointer(inputs.recurrentKernel!, 3 * units, units);
  const packed = packedInput !== undefined && packedRecurrent !== undefined;
  const weights = [
    packed ? packedInput : backend.pointer(inputs.inputKernel!),
    backend.pointer(inputs.inputBias!),
    packed ? packedRecurrent : backend.pointer(inputs.recurrentKernel!),
    backend.pointer(inputs.recurrentBias!),
  ];
  const out = backend.output([steps * batch, units]);
  const saved = backend.output([steps * batch, 4 * units]);
  backend.withScratch(backend.kernels.gruForwardScratch(...sizes), (scratch) => {
    backend.call(
      "gruForward",
      ...leading,
      ...weights,
      packed ? 1 : 0,
      out.pointer,
      saved.pointer,
      ...sizes,
      scratch,
    );
  });
  return [out.info, saved.info];
};

/** Gradients of `gruSequence` with respect to the input, the initial state and the weights. */
const gruSequenceGradient: SimdKernel = ({ inputs, backend }) => {
  const sizes = gruSizes(inputs);
  const [, , features, units] = sizes;
  const from = [
    inputs.input!,
    inputs.initialHiddenState!,
    inputs.keep!,
    inputs.inputKernel!,
    inputs.recurrentKernel!,
    inputs.outputs!,
    inputs.saved!,
    inputs.dy!,
  ].map((tensor) => backend.pointer(tensor));
  const results = [
    backend.output(inputs.input!.shape),
    backend.output(inputs.initialHiddenState!.shape),
    backend.output([features, 3 * units]),
    backend.output([3 * units]),
    backend.output([units, 3 * units]),
    backend.output([3 * units]),
  ];
  backend.withScratch(backend.kernels.gruBackwardScratch(...sizes), (scratch) => {
    backend.call(
      "gruBackward",
      ...from,
      ...results.map((result) => result.pointer),
      ...sizes,
      scratch,
    );
  });
  return results.map((result) => result.info);
};

/** All fused kernels by name. */
export const FUSED_KERNELS: Readonly<Record<string, SimdKernel>> = {
  Dense: dense,
  DenseGradient: denseGradient,
  LayerNorm: layerNorm,
  LayerNormGradient: layerNormGradient,
  GruSequence: gruSequence,
  GruSequenceGradient: gruSequenceGradient,
};
