/** The public names of the core, in reading order. */

export { type ArtifactKind, artifactKind, digestFiles, type Files, sha256 } from "./artifact.js"
export { attempt } from "./attempt.js"
export { type Axis, type AxisNames, type Factor, parseAxes } from "./axes.js"
export { type Costs, costs } from "./costs.js"
export { type Diagnosis, doctor } from "./engine/doctor.js"
export { type EngineOptions, Engines } from "./engine/engines.js"
export * from "./engine.js"
export * from "./errors.js"
export { decodeGraph, type GraphError } from "./graph/decode.js"
export { toMermaid } from "./graph/draw/mermaid.js"
export { type SvgOptions, toSvg } from "./graph/draw/svg.js"
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
export { initParams } from "./initParams.js"
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
export { exportOnnx, type OnnxExportOptions } from "./onnx/export.js"
export { toOnnx } from "./onnx/lower.js"
export { type BatchNorm, batchNorm } from "./ops/batchNorm.js"
export { type CachedAttention, cachedAttention } from "./ops/cachedAttention.js"
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
export { type ChromeTrace, chromeTrace, type TraceEvent } from "./profile/chromeTrace.js"
export type { Parts } from "./profile/measure.js"
export type { PathRow } from "./profile/pathTree.js"
export type { ProductPeak } from "./profile/productPeak.js"
export { type EquationProfile, type Profile, type ProfileOptions, profile } from "./profile/profile.js"
export { forwardSubject, type Subject, trainingSubject } from "./profile/subject.js"
export { capture, captureSync } from "./program/capture.js"
export { flopsOf } from "./program/flops.js"
export { programHash } from "./program/hash.js"
export { interpret } from "./program/interpret.js"
export type { Attr, Constant, Equation, Program, ProgramInput, ProgramOutput, Value } from "./program/ir.js"
export { bytesOf, type Liveness, liveness } from "./program/liveness.js"
export { defaultPasses, optimize, type Pass } from "./program/passes.js"
export { withPath } from "./program/path.js"
export { printProgram } from "./program/print.js"
export { supportedKernels } from "./program/supported.js"
export * as random from "./random/index.js"
export { type Key, keyFromSeed, split } from "./random/key.js"
export { type AnyNodeType, type Registry, registry } from "./registry.js"
export { showColumn, showNumber, showSeconds } from "./report/number.js"
export type { Images, Pictures } from "./report/pictures.js"
export { type ReportInput, renderReport } from "./report/renderReport.js"
export { emptyStory, type RunStory, type Samples, type StageStory, storyOf, type Table, tell } from "./report/story.js"
export { padTo, printable, textTable, textWidth } from "./report/textTable.js"
export { demand, drain, type StageOperator, settle, spread, stages, type Ticket } from "./run/bounded.js"
export { Stage, type StageContext, type StageEvent } from "./run/context.js"
export type { RunEvent, StampedEvent } from "./run/event.js"
export { decodeEvents, encodeEvent } from "./run/eventLine.js"
export { type RunEvents, runEvents } from "./run/events.js"
export { makeRunFolder, type RunFolder } from "./run/folder.js"
export { keptPath, type Shelf } from "./run/keptPath.js"
export { isFailure, messageOf } from "./run/message.js"
export { type RecordedRun, type RecordOptions, recordRun } from "./run/recordRun.js"
export {
  type Kept,
  type RunOptions,
  type RunResult,
  runGraph,
  stageNames,
} from "./run/runGraph.js"
export { type EventsWritten, writeEvents } from "./run/writeEvents.js"
export { decodeSafetensors } from "./safetensors/decode.js"
export { encodeSafetensors } from "./safetensors/encode.js"
export type { Metadata } from "./safetensors/format.js"
export { openSafetensors, type TensorFile } from "./safetensors/open.js"
export { didYouMean } from "./suggest.js"
export {
  type DType,
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
export { pickTensors, type TensorSource, tensorSource } from "./tensorSource.js"
export { withBackend } from "./tfjs.js"
export { AdamW, adamW } from "./train/adamw.js"
export { type Learner, slots, type UpdateConfig } from "./train/applyGradients.js"
export { Average, averagedWeights, initAverage } from "./train/average.js"
export {
  type CachedTrainStep,
  type CachedTrainStepConfig,
  cachedTrainStep,
  initGradients,
  learnerOf,
  type PartedObjective,
} from "./train/cachedTrainStep.js"
export { forward } from "./train/forward.js"
export { learningRate, Schedule } from "./train/schedule.js"
export {
  frozenNames,
  initOptimizer,
  type TrainStepConfig,
  trainStep,
} from "./train/trainStep.js"
export { flatten, type MapTree, mapTree, type Tree } from "./tree.js"
