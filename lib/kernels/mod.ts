/**
 * A SIMD backend for tfjs, fused layers with gradients, and compiled functions.
 *
 * @module
 */
export { AdamOptimizer, type AdamState, type AdamStepOptions, globalNorm } from "./adam.ts";
export {
  canCompile,
  type CompiledFunction,
  compileFunction,
  type CompileOptions,
} from "./compile.ts";
export {
  type FusedActivation,
  fusedDense,
  fusedLayerNorm,
  gelu,
  gruSequence,
  type GruWeights,
  type LayerNormOptions,
} from "./layers.ts";
export { registerSimdBackend, type SimdBackendOptions } from "./register.ts";
