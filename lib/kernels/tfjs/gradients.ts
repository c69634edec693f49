/** Gradients of the fused kernels, registered with tfjs. */
import { tf } from "../_tensorflow.ts";

/** Runs a kernel of the active backend. */
export function runKernel<T extends tf.Tensor | tf.Tensor[]>(
  name: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attrs: Readonly<Record<string, unknown>> = {},
): T {
  return tf.engine().runKernel(
    name,
    inputs as unknown as tf.NamedTensorMap,
    attrs as unknown as tf.NamedAttrMap,
  ) as T;
}

const gelu: tf.GradConfig = {
  kernelName: "Gelu",
  inputsToSave: ["x"],
  gradFunc: (dy, saved) => ({
    x: () => runKernel<tf.Tensor>("GeluGradient", { x: saved[0]!, dy: dy as tf.Tensor }),
  }),
};

// The gradient kernels give all gradients at once. They run outside the getters: tfjs tidies up
// after each getter, which would free the tensors that the next one returns.

const dense: tf.GradConfig = {
  kernelName: "Dense",
  inputsToSave: ["x", "kernel"],
  outputsToSave: [true],
  gradFunc: (dy, saved, attrs) => {
    const [x, kernel, y] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { x, kernel, y, dy: dy as tf.Tensor };
    const [dx, dKernel, dBias] = runKernel<tf.Tensor[]>("DenseGradient", inputs, { ...attrs });
    return { x: () => dx!, kernel: () => dKernel!, bias: () => dBias! };
  },
};

const layerNorm: tf.GradConfig = {
  kernelName: "LayerNorm",
  inputsToSave: ["x", "gain"],
  outputsToSave: [true],
  gradFunc: (dy, saved, attrs) => {
    const [x, gain, y] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { x, gain, y, dy: dy as tf.Tensor };
    const [dx, dGain, dBias] = runKernel<tf.Tensor[]>("LayerNormGradient", inputs, { ...attrs });
    return { x: () => dx!, gain: () => dGain!, bias: () => dBias! };
  },
};

const GRU_SAVED = [
  "input",
  "initialHiddenState",
  "keep",
  "inputKernel",
  "recurrentKernel",
] as const;

const gruSequence: tf.GradConfig = {
  kernelName: "GruSequence",
  inputsToSave: [...GRU_SAVED],
  outputsToSave: [true, true],
  gradFunc: (dys, saved) => {
    const inputs: Record<string, tf.Tensor> = { dy: (dys as tf.Tensor[])[0]! };
    [...GRU_SAVED, "outputs", "saved"].forEach((name, i) => inputs[name] = saved[i]!);
    const [
      dInput,
      dInitialHiddenState,
      dInputKernel,
      dInputBias,
      dRecurrentKernel,
      dRecurrentBias,
    ] = runKernel<tf.Tensor[]>("GruSequenceGradient", inputs);
    return {
      input: () => dInput!,
      initialHiddenState: () => dInitialHiddenState!,
      keep: () => tf.zerosLike(saved[2]!),
      inputKernel: () => dInputKernel!,
      inputBias: () => dInputBias!,
      recurrentKernel: () => dRecurrentKernel!,
      recurrentBias: () => dRecurrentBias!,
    };
  },
};

/** Gradients of every fused kernel. */
export const FUSED_GRADIENTS: readonly tf.GradConfig[] = [gelu, dense, layerNorm, gruSequence];
