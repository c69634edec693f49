// One Adam update of one parameter array.
import { loadUpTo, storeUpTo } from "./partial";

/**
 * With g = gradientScale * gradient:
 *   m' = beta1 m + (1 - beta1) g;  v' = beta2 v + (1 - beta2) g^2
 *   p' = p - stepSize m' / (sqrt(v') * inverseRootCorrection + epsilon)
 * where stepSize = learningRate / (1 - beta1^t), inverseRootCorrection = 1 / sqrt(1 - beta2^t).
 * Outputs may be the inputs.
 */
export function adam(
  parameter: usize,
  gradient: usize,
  mean: usize,
  variance: usize,
  newParameter: usize,
  newMean: usize,
  newVariance: usize,
  n: i32,
  gradientScale: f32,
  stepSize: f32,
  inverseRootCorrection: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
): void {
  const scale = f32x4.splat(gradientScale);
  const step = f32x4.splat(stepSize);
  const correction = f32x4.splat(inverseRootCorrection);
  const keepMean = f32x4.splat(beta1);
  const addMean = f32x4.splat(1 - beta1);
  const keepVariance = f32x4.splat(beta2);
  const addVariance = f32x4.splat(1 - beta2);
  const tiny = f32x4.splat(epsilon);
  for (let i = 0; i < n; i += 4) {
    const at = <usize> i << 2;
    const left = n - i;
    const g = f32x4.mul(loadUpTo(gradient + at, left), scale);
    const m = f32x4.add(f32x4.mul(keepMean, loadUpTo(mean + at, left)), f32x4.mul(addMean, g));
    const v = f32x4.add(
      f32x4.mul(keepVariance, loadUpTo(variance + at, left)),
      f32x4.mul(addVariance, f32x4.mul(g, g)),
    );
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(v), correction), tiny);
    const p = f32x4.sub(loadUpTo(parameter + at, left), f32x4.div(f32x4.mul(step, m), root));
    storeUpTo(newParameter + at, p, left);
    storeUpTo(newMean + at, m, left);
    storeUpTo(newVariance + at, v, left);
  }
}
