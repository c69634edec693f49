/**
 * The three networks as ONNX nodes, for one step; the formulas stand with the networks themselves.
 *
 * @module
 */
import type {
  ActorCriticConfig,
  MlpConfig,
  NamedWeights,
  ReplicaScorerConfig,
} from "../../policy/mod.ts";
import type { StateLayout } from "../../state/mod.ts";
import type { OnnxGraph } from "./_onnx_graph.ts";

/** Added to the variance by layer normalisation, as in the networks. */
const EPSILON = 1e-5;

/** Stands in for minus infinity in the maximum over available replicas, as in the networks. */
const UNAVAILABLE = 1e8;

/** Names of what a network is given. */
export interface OnnxNetworkInputs {
  /** `[batch, D]`, normalised. */
  readonly observations: string;
  /** `[batch, S]`; read by recurrent networks only. */
  readonly hiddenStates: string;
  /** `[batch, A]`, 1 = allowed. */
  readonly actionMask: string;
}

/** Names of what it computes. */
export interface OnnxNetworkOutputs {
  /** `[batch, A]`. */
  readonly logits: string;
  /** `[batch, 1]`. */
  readonly values: string;
  /** `[batch, S]`; absent for feed-forward networks. */
  readonly hiddenStates?: string;
}

type Activation = "Relu" | "Tanh" | "Gelu";

/** Writes the layers of one policy into a graph. */
export class OnnxLayers {
  readonly #graph: OnnxGraph;
  readonly #weights: NamedWeights;

  /** Layers with these weights. */
  constructor(graph: OnnxGraph, weights: NamedWeights) {
    this.#graph = graph;
    this.#weights = weights;
  }

  /** See `createMlp`. */
  mlp({ hiddenSizes, activation }: MlpConfig, inputs: OnnxNetworkInputs): OnnxNetworkOutputs {
    const nonlinearity = activation === "relu" ? "Relu" : "Tanh";
    const trunk = (name: string): string => {
      const features = hiddenSizes.reduce(
        (input, _, i) => this.#dense(input, `${name}.${i}`, nonlinearity),
        inputs.observations,
      );
      return this.#dense(features, `${name}.head`);
    };
    return { logits: trunk("actor"), values: trunk("critic") };
  }

  /** See `createActorCritic`. */
  actorCritic(config: ActorCriticConfig, inputs: OnnxNetworkInputs): OnnxNetworkOutputs {
    const { hiddenSize, layerN, gruLayers, decoupled, boundedLogits } = config;
    const next: string[] = [];
    const recur = (input: string, name: string, count: number): string => {
      let features = input;
      for (let i = 0; i < count; i++) {
        const begin = next.length * hiddenSize;
        const hidden = this.#columns(inputs.hiddenStates, begin, begin + hiddenSize);
        features = this.#gru(features, hidden, `${name}.${i}`);
        next.push(features);
      }
      return features;
    };
    const branch = (input: string, name: string, count: number): string => {
      let features = input;
      for (let i = 0; i < count; i++) {
        features = this.#layerNorm(
          this.#dense(features, `${name}.${i}`),
          `${name}.${i}.norm`,
          "Relu",
        );
      }
      return features;
    };
    const branchLayers = decoupled ? 2 : 0;
    const normed = this.#layerNorm(inputs.observations, "projection.norm");
    const projected = this.#dense(this.#dense(normed, "projection.0", "Gelu"), "projection.1");
    const context = recur(branch(projected, "shared", 1 + layerN), "gru", gruLayers);
    const scores = this.#dense(branch(context, "actor", branchLayers), "actor.head");
    const criticGruLayers = decoupled && gruLayers > 0 ? 1 : 0;
    const critic = recur(branch(context, "critic", branchLayers), "critic.gru", criticGruLayers);
    const output = {
      logits: boundedLogits ? this.#layerNorm(scores, "actor.head.norm", "Tanh") : scores,
      values: this.#dense(critic, "critic.head"),
    };
    if (next.length === 0) return output;
    return { ...output, hiddenStates: this.#graph.add("Concat", next, { axis: 1 }) };
  }

  /** See `createReplicaScorer`. */
  replicaScorer(
    { hiddenSize, loadResidualSlope }: ReplicaScorerConfig,
    { observations, actionMask }: OnnxNetworkInputs,
    { replicaCount, perReplicaSize, globalSize, loadFeatures }: StateLayout,
  ): OnnxNetworkOutputs {
    const graph = this.#graph;
    const replicaColumns = replicaCount * perReplicaSize;
    const slices = this.#reshape(
      this.#columns(observations, 0, replicaColumns),
      -1,
      perReplicaSize,
    );
    const flat = this.#dense(this.#dense(slices, "replica.0", "Relu"), "replica.1", "Relu");
    const encoded = this.#reshape(flat, -1, replicaCount, hiddenSize);
    const mask = graph.add("Unsqueeze", [actionMask, graph.integers(2)]);
    const replicaAxis = graph.integers(1);
    const present = graph.add("ReduceSum", [graph.add("Mul", [encoded, mask]), replicaAxis], {
      keepdims: 0,
    });
    const count = graph.add("ReduceSum", [mask, replicaAxis], { keepdims: 0 });
    const absent = graph.add("Mul", [
      graph.add("Sub", [mask, this.#scalar(1)]),
      this.#scalar(UNAVAILABLE),
    ]);
    const highest = graph.add("ReduceMax", [graph.add("Add", [encoded, absent]), replicaAxis], {
      keepdims: 0,
    });
    const rest = this.#columns(observations, replicaColumns, replicaColumns + globalSize);
    const context = graph.add("Concat", [
      ...(globalSize > 0 ? [this.#dense(rest, "global.0", "Relu")] : []),
      graph.add("Div", [present, count]),
      highest,
    ], { axis: 1 });
    const repeated = graph.add("Tile", [
      graph.add("Unsqueeze", [context, replicaAxis]),
      graph.integers(1, replicaCount, 1),
    ]);
    const contextSize = (globalSize > 0 ? 3 : 2) * hiddenSize;
    const joined = graph.add("Concat", [encoded, repeated], { axis: 2 });
    const rows = this.#reshape(joined, -1, hiddenSize + contextSize);
    let scores = this.#dense(this.#dense(rows, "actor.0", "Relu"), "actor.head");
    if (loadResidualSlope > 0) {
      const columns = graph.integers(...loadFeatures);
      const loads = graph.add("Gather", [slices, columns], { axis: 1 });
      const load = graph.add("ReduceSum", [loads, graph.integers(1)]);
      const residual = graph.add("Mul", [load, this.#scalar(loadResidualSlope)]);
      scores = graph.add("Sub", [scores, residual]);
    }
    const critic = this.#dense(this.#dense(context, "critic.0", "Relu"), "critic.1", "Relu");
    return {
      logits: this.#reshape(scores, -1, replicaCount),
      values: this.#dense(critic, "critic.head"),
    };
  }

  #dense(input: string, name: string, activation?: Activation): string {
    const parameters = [this.#parameter(`${name}.kernel`), this.#parameter(`${name}.bias`)];
    return this.#activate(this.#graph.add("Gemm", [input, ...parameters]), activation);
  }

  #layerNorm(input: string, name: string, activation?: Activation): string {
    const parameters = [this.#parameter(`${name}.gain`), this.#parameter(`${name}.bias`)];
    const normed = this.#graph.add("LayerNormalization", [input, ...parameters], {
      axis: -1,
      epsilon: EPSILON,
    });
    return this.#activate(normed, activation);
  }

  /** One step of a GRU layer, `[batch, units]`. */
  #gru(input: string, hiddenState: string, name: string): string {
    const graph = this.#graph;
    const recurrent = this.#weights[`${name}.recurrentKernel`]!;
    const units = recurrent.shape[0]!;
    const biases = new Float32Array(6 * units);
    biases.set(reorderGates(this.#weights[`${name}.inputBias`]!.values, 1, units));
    biases.set(reorderGates(this.#weights[`${name}.recurrentBias`]!.values, 1, units), 3 * units);
    const inputKernel = this.#weights[`${name}.inputKernel`]!;
    const inputs = inputKernel.shape[0]!;
    const step = graph.integers(0);
    const [, last] = graph.addMany("GRU", [
      graph.add("Unsqueeze", [input, step]),
      graph.floats(reorderGates(inputKernel.values, inputs, units), [1, 3 * units, inputs]),
      graph.floats(reorderGates(recurrent.values, units, units), [1, 3 * units, units]),
      graph.floats(biases, [1, 6 * units]),
      "", // all sequences are equally long
      graph.add("Unsqueeze", [hiddenState, step]),
    ], { outputCount: 2, attributes: { hidden_size: units, linear_before_reset: 1 } });
    return graph.add("Squeeze", [last!, step]);
  }

  #columns(value: string, begin: number, end: number): string {
    const graph = this.#graph;
    return graph.add("Slice", [
      value,
      graph.integers(begin),
      graph.integers(end),
      graph.integers(1),
    ]);
  }

  #reshape(value: string, ...shape: number[]): string {
    return this.#graph.add("Reshape", [value, this.#graph.integers(...shape)]);
  }

  #activate(value: string, activation: Activation | undefined): string {
    return activation === undefined ? value : this.#graph.add(activation, [value]);
  }

  #parameter(name: string): string {
    const { values, shape } = this.#weights[name]!;
    return this.#graph.floats(values, shape);
  }

  #scalar(value: number): string {
    return this.#graph.floats(Float32Array.of(value), []);
  }
}

/**
 * Kernels `[inputs, 3 units]` with gates reset, update, new become `[3 units, inputs]` with gates
 * update, reset, new, as the ONNX operator has them.
 */
function reorderGates(values: Float32Array, inputs: number, units: number): Float32Array {
  const order = [1, 0, 2];
  return Float32Array.from({ length: values.length }, (_, i) => {
    const row = Math.floor(i / inputs);
    const gate = order[Math.floor(row / units)]!;
    return values[(i % inputs) * 3 * units + gate * units + row % units]!;
  });
}
