/**
 * The names that definitions of models are made of: graphs, nodes, ports, parameters and their operations, and what a model
 * costs. Nothing that runs one is loaded: no engine, no run, no report.
 */

export { type ArtifactKind, artifactKind, digestFiles, type Files, sha256 } from "./artifact.js"
export { attempt } from "./attempt.js"
export { type Axis, type AxisNames, type Factor, parseAxes } from "./axes.js"
export { type Costs, costs } from "./costs.js"
export * from "./engine.js"
export * from "./errors.js"
export { decodeGraph, type GraphError } from "./graph/decode.js"
export { encodeGraph, GraphJson, type GraphNodeJson, graphHash } from "./graph/encode.js"
export { replaceNode } from "./graph/replaceNode.js"
export { type ResolvedSizes, resolveSizes } from "./graph/resolveSizes.js"
export {
  type Graph,
  type GraphBuilder,
  type GraphNode,
  type GraphOptions,
  graph,
  isGraph,
  type NodeOptions,
  type NodePorts,
  type NodePortsOf,
  type StageGraph,
  type TensorGraph,
  type Wire,
} from "./graph.js"
export { type Init, normal, ones, zeros } from "./init.js"
export { canonicalJson, jsonHash, parseJson } from "./json.js"
export {
  defineStageNode,
  defineTensorNode,
  isParamSpec,
  isPort,
  type Node,
  type NodeType,
  type Outputs,
  type OutputValues,
  type ParamSpec,
  type ParamsOf,
  type StageNode,
  type TensorNode,
  type ValuesOf,
} from "./node.js"
export { frozenParams, type Objective, objectiveOf } from "./objective.js"
export { type BatchNorm, batchNorm } from "./ops/batchNorm.js"
export { type CachedAttention, cachedAttention } from "./ops/cachedAttention.js"
export { cachedPrompt } from "./ops/cachedPrompt.js"
export { crossEntropy } from "./ops/crossEntropy.js"
export { differentiable } from "./ops/differentiable.js"
export { embed } from "./ops/embed.js"
export { gelu } from "./ops/gelu.js"
export { geluErf } from "./ops/geluErf.js"
export { groupNorm } from "./ops/groupNorm.js"
export { layerNorm } from "./ops/layerNorm.js"
export { linear } from "./ops/linear.js"
export { quickGelu, silu } from "./ops/silu.js"
export { logSoftmax, softmax } from "./ops/softmax.js"
export { stopGradient } from "./ops/stopGradient.js"
export { type Outline, type OutlineInputs, outlinesOf, type Sizes, type StageOutline } from "./outline.js"
export {
  type ArtifactPort,
  artifact,
  type Port,
  type Ports,
  showPort,
  type TensorPort,
  tensor,
  type ValueOf,
} from "./port.js"
export { capture, captureSync } from "./program/capture.js"
export type { Attr, Constant, Equation, Program, ProgramInput, ProgramOutput, Value } from "./program/ir.js"
export { withPath } from "./program/path.js"
export { type AnyNodeType, type Registry, registry } from "./registry.js"
export { showBytes, showColumn, showNumber, showSeconds } from "./report/number.js"
export { padTo, printable, textTable, textWidth } from "./report/textTable.js"
export { didYouMean } from "./suggest.js"
export {
  type DType,
  emptyData,
  float32,
  type HostTensor,
  type HostTensors,
  int32,
  type Specs,
  showSpec,
  sizeOf,
  spec,
  type TensorSpec,
} from "./tensor.js"
export { flatten, type MapTree, mapTree, type Tree } from "./tree.js"
