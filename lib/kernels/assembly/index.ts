export { adam } from "./adam";
export { copyRows } from "./copy";
export { binary, clip, unary, unaryGradient } from "./elementwise";
export { gemm, gemmPacked } from "./gemm";
export { gruBackward, gruBackwardScratch, gruForward, gruForwardScratch } from "./gru";
export { layerNorm, layerNormGradient } from "./layer_norm";
export { gemmScratch, packedSize, packMatrix } from "./pack";
export { reduce, softmax, sumSquares, transpose } from "./reduce";
