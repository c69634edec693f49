export { adam } from "./adam";
export { copyRows } from "./copy";
export { binary, clip, unary, unaryGradient } from "./elementwise";
export { gemm, gemmPacked, gemmScratch, packedSize, packMatrix } from "./gemm";
export { gruBackward, gruBackwardScratch, gruForward, gruForwardScratch } from "./gru";
export { layerNorm, layerNormGradient } from "./layer_norm";
export { reduce, softmax, sumSquares, transpose } from "./reduce";
