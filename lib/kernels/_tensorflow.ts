/**
 * TensorFlow.js, quiet: production mode keeps the `cpu` backend from printing its "running in
 * Node.js" banner. The umbrella package is needed: `tfjs-core` alone registers no gradients.
 */
import * as tf from "@tensorflow/tfjs";

tf.enableProdMode();

export { tf };
