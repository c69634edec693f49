/**
 * The three networks as graphs, for one step; the formulas stand with the networks themselves.
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
import type { GraphActivation, GraphWriter } from "./_graph_writer.ts";

/** Added to the variance by layer normalisation, as in the networks. */
const EPSILON = 1e-5;

/** Stands in for minus infinity in the maximum over available replicas, as in the networks. */
const UNAVAILABLE = 1e8;

/** Layers of each decoupled branch, as in the network. */
const BRANCH_LAYERS = 2;

/** Names of what a network is given. */
export interface NetworkGraphInputs {
  /** `[batch, D]`, normalised. */
  readonly observations: string;
  /** `[batch, S]`; read by recurrent networks only. */
  readonly hiddenStates: string;
  /** `[batch, A]`, 1 = allowed. */
  readonly actionMask: string;
}

/** Names of what it computes. */
export interface NetworkGraphOutputs {
  /** `[batch, A]`. */
  readonly logits: string;
  /** `[batch, 1]`. */
  readonly values: string;
  /** `[batch, S]`; absent for feed-forward networks. */
  readonly hiddenStates?: string;
}

/** Writes the networks of policies with certain weights. */
export class NetworkGraph {
  readonly #graph: GraphWriter;
  readonly #weights: NamedWeights;

  /** Networks written with `graph`. */
  constructor(graph: GraphWriter, weights: NamedWeights) {
    this.#graph = graph;
    this.#weights = weights;
  }

  /** See `createMlp`. */
  mlp({ hiddenSizes, activation }: MlpConfig, inputs: NetworkGraphInputs): NetworkGraphOutputs {
    const trunk = (name: string): string => {
      const features = hiddenSizes.reduce(
        (input, _, i) => this.#dense(input, `${name}.${i}`, activation),
        inputs.observations,
      );
      return this.#dense(features, `${name}.head`);
    };
    return { logits: trunk("actor"), values: trunk("critic") };
  }

  /** See `createActorCritic`. */
  actorCritic(config: ActorCriticConfig, inputs: NetworkGraphInputs): NetworkGraphOutputs {
    const { hiddenSize, layerN, gruLayers, decoupled, boundedLogits } = config;
    const next: string[] = [];
    const recur = (input: string, name: string, count: number): string => {
      let features = input;
      for (let i = 0; i < count; i++) {
        const begin = next.length * hiddenSize;
        const hidden = this.#graph.columns(inputs.hiddenStates, begin, begin + hiddenSize);
        features = this.#gru(features, hidden, `${name}.${i}`);
        next.push(features);
      }
      return features;
    };
    const branch = (input: string, name: string, count: number): string => {
      let features = input;
      for (let i = 0; i < count; i++) {
        const linear = this.#dense(features, `${name}.${i}`);
        features = this.#layerNorm(linear, `${name}.${i}.norm`, "relu");
      }
      return features;
    };
    const branchLayers = decoupled ? BRANCH_LAYERS : 0;
    const normed = this.#layerNorm(inputs.observations, "projection.norm");
    const projected = this.#dense(this.#dense(normed, "projection.0", "gelu"), "projection.1");
    const context = recur(branch(projected, "shared", 1 + layerN), "gru", gruLayers);
    const scores = this.#dense(branch(context, "actor", branchLayers), "actor.head");
    const criticGruLayers = decoupled && gruLayers > 0 ? 1 : 0;
    const critic = recur(branch(context, "critic", branchLayers), "critic.gru", criticGruLayers);
    const output = {
      logits: boundedLogits ? this.#layerNorm(scores, "actor.head.norm", "tanh") : scores,
      values: this.#dense(critic, "critic.head"),
    };
    if (next.length === 0) return output;
    return { ...output, hiddenStates: this.#graph.concat(next, 1) };
  }

  /** See `createReplicaScorer`. */
  replicaScorer(
    config: ReplicaScorerConfig,
    { observations, actionMask }: NetworkGraphInputs,
    layout: StateLayout,
  ): NetworkGraphOutputs {
    const { hiddenSize, loadResidualSlope, attentionHeads, identitySize, boundedLogits } = config;
    const { replicaCount, perReplicaSize, globalSize, loadFeatures } = layout;
    const graph = this.#graph;
    const replicaColumns = replicaCount * perReplicaSize;
    const slices = graph.reshape(
      graph.columns(observations, 0, replicaColumns),
      [-1, perReplicaSize],
    );
    const mask = graph.reshape(actionMask, [-1, replicaCount, 1]);
    const absent = graph.binary(
      "mul",
      graph.binary("sub", mask, this.#number(1)),
      this.#number(UNAVAILABLE),
    );
    const describe = (prefix: string, size: number): string => {
      const seen = size === perReplicaSize ? slices : graph.columns(slices, 0, size);
      if (identitySize === 0) return seen;
      const identity = graph.constant(this.#weights[`${prefix}identity`]!);
      // Repeated for every cluster, as sums with an array that has the batch's size.
      const nothing = graph.binary("mul", mask, this.#number(0));
      const joined = graph.concat([
        graph.reshape(seen, [-1, replicaCount, size]),
        graph.binary("add", nothing, identity),
      ], 2);
      return graph.reshape(joined, [-1, size + identitySize]);
    };
    const encode = (
      prefix: string,
      view: Pick<StateLayout, "perReplicaSize" | "globalSize">,
    ): { encoded: string; context: string } => {
      const rest = graph.columns(observations, replicaColumns, replicaColumns + view.globalSize);
      let flat = this.#dense(
        this.#dense(describe(prefix, view.perReplicaSize), `${prefix}replica.0`, "relu"),
        `${prefix}replica.1`,
        "relu",
      );
      if (attentionHeads > 0) {
        const penalties = graph.reshape(absent, [-1, 1, replicaCount]);
        flat = this.#attend(flat, `${prefix}attention`, {
          heads: attentionHeads,
          width: hiddenSize / attentionHeads,
          replicaCount,
          penalties,
        });
      }
      const encoded = graph.reshape(flat, [-1, replicaCount, hiddenSize]);
      const over = { axis: 1, keep: false };
      const present = graph.reduce("sum", graph.binary("mul", encoded, mask), over);
      const context = graph.concat([
        ...(view.globalSize > 0 ? [this.#dense(rest, `${prefix}global.0`, "relu")] : []),
        graph.binary("div", present, graph.reduce("sum", mask, over)),
        graph.reduce("max", graph.binary("add", encoded, absent), over),
      ], 1);
      return { encoded, context };
    };
    const actorView = {
      perReplicaSize: perReplicaSize - layout.criticReplicaSize,
      globalSize: globalSize - layout.criticGlobalSize,
    };
    const { encoded, context } = encode("", actorView);
    const contextSize = (actorView.globalSize > 0 ? 3 : 2) * hiddenSize;
    const joined = graph.concat([encoded, graph.repeat(context, replicaCount)], 2);
    const rows = graph.reshape(joined, [-1, hiddenSize + contextSize]);
    let scores = this.#dense(this.#dense(rows, "actor.0", "relu"), "actor.head");
    if (loadResidualSlope > 0) {
      const loads = graph.gatherColumns(slices, loadFeatures);
      const load = graph.reduce("sum", loads, { axis: 1, keep: true });
      scores = graph.binary(
        "sub",
        scores,
        graph.binary("mul", load, this.#number(loadResidualSlope)),
      );
    }
    // Policies whose value has encoders of its own have weights for them.
    const ownEncoder = Object.hasOwn(this.#weights, "critic.replica.0.kernel");
    const valueContext = ownEncoder ? encode("critic.", layout).context : context;
    const critic = this.#dense(this.#dense(valueContext, "critic.0", "relu"), "critic.1", "relu");
    const logits = graph.reshape(scores, [-1, replicaCount]);
    return {
      logits: boundedLogits ? this.#layerNorm(logits, "actor.head.norm", "tanh") : logits,
      values: this.#dense(critic, "critic.head"),
    };
  }

  /** See `replicaAttention`. */
  #attend(
    input: string,
    name: string,
    { heads, width, replicaCount, penalties }: {
      readonly heads: number;
      readonly width: number;
      readonly replicaCount: number;
      readonly penalties: string;
    },
  ): string {
    const graph = this.#graph;
    const bias = { shape: [heads * width], values: new Float32Array(heads * width) };
    const queries = graph.binary(
      "mul",
      this.#dense(input, `${name}.query`),
      this.#number(1 / Math.sqrt(width)),
    );
    const keys = graph.dense(input, this.#weights[`${name}.key.kernel`]!, bias);
    const values = this.#dense(input, `${name}.value`);
    const looked = Array.from({ length: heads }, (_, h) => {
      const part = (features: string): string =>
        graph.reshape(graph.columns(features, h * width, (h + 1) * width), [
          -1,
          replicaCount,
          width,
        ]);
      const head = graph.attend({
        queries: part(queries),
        keys: part(keys),
        values: part(values),
        penalties,
      });
      return graph.reshape(head, [-1, width]);
    });
    const output = this.#dense(graph.concat(looked, 1), `${name}.output`);
    return this.#layerNorm(graph.binary("add", input, output), `${name}.norm`);
  }

  #dense(input: string, name: string, activation?: GraphActivation): string {
    const { [`${name}.kernel`]: kernel, [`${name}.bias`]: bias } = this.#weights;
    return this.#activate(this.#graph.dense(input, kernel!, bias!), activation);
  }

  #layerNorm(input: string, name: string, activation?: GraphActivation): string {
    const { [`${name}.gain`]: gain, [`${name}.bias`]: bias } = this.#weights;
    return this.#activate(
      this.#graph.layerNorm(input, { gain: gain!, bias: bias! }, EPSILON),
      activation,
    );
  }

  #gru(input: string, hiddenState: string, name: string): string {
    return this.#graph.gru(input, hiddenState, {
      inputKernel: this.#weights[`${name}.inputKernel`]!,
      inputBias: this.#weights[`${name}.inputBias`]!,
      recurrentKernel: this.#weights[`${name}.recurrentKernel`]!,
      recurrentBias: this.#weights[`${name}.recurrentBias`]!,
    });
  }

  #activate(value: string, activation: GraphActivation | undefined): string {
    return activation === undefined ? value : this.#graph.activate(value, activation);
  }

  #number(value: number): string {
    return this.#graph.constant({ shape: [], values: Float32Array.of(value) });
  }
}
