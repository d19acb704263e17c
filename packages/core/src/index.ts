/** The public names of the core, in reading order. */

export { cacheFolder } from "./cacheFolder.js"
export { betweenSteps } from "./checkpoint/betweenSteps.js"
export type { Checkpoint, Checkpoints } from "./checkpoint/checkpoint.js"
export { type CheckpointFolder, checkpointFolder } from "./checkpoint/checkpointFolder.js"
export type { Patience } from "./checkpoint/longStage.js"
export { noCheckpoints } from "./checkpoint/noCheckpoints.js"
export * from "./definitions.js"
export { Disk, type DiskOperations, type Entry } from "./disk/disk.js"
export {
  appendTo,
  claimFolder,
  diskFailed,
  listFolder,
  lookAt,
  makeFolder,
  readFile,
  removeAll,
  renameTo,
  temporaryMark,
  touch,
  writeWhole,
} from "./disk/files.js"
export { filesBelow } from "./disk/filesBelow.js"
export { nodeDisk } from "./disk/nodeDisk.js"
export { type Diagnosis, doctor } from "./engine/doctor.js"
export { type EngineOptions, Engines } from "./engine/engines.js"
export { type FoundTensorFlow, findTensorFlow, installedTensorFlow } from "./engine/native/findTensorFlow.js"
export { type Installed, installedForm, missingFiles, readInstalled } from "./engine/native/installed.js"
export {
  engineFolder,
  engineLayout,
  engineOfPackage,
  enginesFolder,
  handedTfjs,
  nativeVersions,
} from "./engine/native/nativeEngine.js"
export { tryAnswer } from "./engine/native/tryAnswer.js"
export { tryNative, tryScript } from "./engine/native/tryNative.js"
export { checkedJson, Sha256 } from "./files/checkedJson.js"
export { type FileForm, jsonFile, jsonLinesFile } from "./files/jsonFile.js"
export { type NamedBytes, namedFiles } from "./files/namedFiles.js"
export { type ExpectedTensors, type ReadTensors, readTensors } from "./files/readTensors.js"
export type { ConfigSchema } from "./graph/config.js"
export { toMermaid } from "./graph/draw/mermaid.js"
export { type SvgOptions, toSvg } from "./graph/draw/svg.js"
export { initParams } from "./initParams.js"
export { exportOnnx, type OnnxExportOptions } from "./onnx/export.js"
export { exportFunction, type FunctionExport } from "./onnx/exportFunction.js"
export { toOnnx } from "./onnx/lower.js"
export { type ChromeTrace, chromeTrace, type TraceEvent } from "./profile/chromeTrace.js"
export type { Parts } from "./profile/measure.js"
export type { PathRow } from "./profile/pathTree.js"
export type { ProductPeak } from "./profile/productPeak.js"
export { type EquationProfile, type Profile, type ProfileOptions, profile } from "./profile/profile.js"
export { forwardSubject, type Subject, trainingSubject } from "./profile/subject.js"
export { tensorMemory } from "./profile/tensorMemory.js"
export { flopsOf } from "./program/flops.js"
export { programHash } from "./program/hash.js"
export { interpret } from "./program/interpret.js"
export { bytesOf, type Liveness, liveness } from "./program/liveness.js"
export { defaultPasses, optimize, type Pass } from "./program/passes.js"
export { printProgram } from "./program/print.js"
export { supportedKernels } from "./program/supported.js"
export * as random from "./random/index.js"
export { type Key, keyFromSeed, split } from "./random/key.js"
export { type FunctionFactsOptions, functionFacts } from "./report/functionFacts.js"
export {
  type FunctionFacts,
  type GraphFacts,
  graphFacts,
  graphFactsOfJson,
  type KernelCount,
  type NodeFacts,
} from "./report/graphFacts.js"
export { leaves } from "./report/leaves.js"
export type { Images, Pictures } from "./report/pictures.js"
export { type RecordedStory, readStory } from "./report/readStory.js"
export { renderComparison, type ShownRun } from "./report/renderComparison.js"
export { type ReportInput, renderReport } from "./report/renderReport.js"
export { emptyStory, type RunStory, type Samples, type StageStory, storyOf, type Table, tell } from "./report/story.js"
export { drain, type StageOperator, settle, spread, stages } from "./run/bounded.js"
export { claimRun } from "./run/claimRun.js"
export { Stage, type StageContext, type StageEvent } from "./run/context.js"
export { demand, type Ticket } from "./run/demand.js"
export { type Environment, environmentOf } from "./run/environment.js"
export type { RunEvent, StampedEvent } from "./run/event.js"
export { decodeEvents, encodeEvent } from "./run/eventLine.js"
export { type RunEvents, runEvents } from "./run/events.js"
export { makeRunFolder, openRunFolder, type RunFolder } from "./run/folder.js"
export { keptPath, pathSegment, type Shelf } from "./run/keptPath.js"
export { machineOf, type RecordedRun, type RecordOptions, recordRun } from "./run/recordRun.js"
export {
  type Kept,
  type RunOptions,
  type RunResult,
  runGraph,
} from "./run/runGraph.js"
export { RunJson, RunOrigin, readRunJson } from "./run/runJson.js"
export { type StageCache, type StageCacheOptions, stageCache } from "./run/stageCache.js"
export { stageNames } from "./run/stageNames.js"
export { type EventsWritten, writeEvents } from "./run/writeEvents.js"
export type { Difference } from "./runs/difference.js"
export {
  type ComparedRun,
  diffRuns,
  type MetricDifference,
  type RunDifference,
  type StageDifference,
} from "./runs/diffRuns.js"
export { environmentDifferences } from "./runs/environmentDifferences.js"
export { listRuns, runIds } from "./runs/listRuns.js"
export { type Damage, damageText, isRunFolder, type RunFacts, readRunFacts } from "./runs/runFacts.js"
export { measuredBy, type RunMetric, runMetrics } from "./runs/runMetrics.js"
export { decodeSafetensors } from "./safetensors/decode.js"
export { encodeSafetensors } from "./safetensors/encode.js"
export type { Metadata } from "./safetensors/format.js"
export { openSafetensors, type TensorFile } from "./safetensors/open.js"
export { Stopping, type StopRequest, stopRequest } from "./stopRequest.js"
export { collectGarbage, type Garbage, type GarbageOptions } from "./store/collectGarbage.js"
export { decodeMade, encodeMade, Made } from "./store/made.js"
export { type PlannedStage, type PlanOptions, planRun } from "./store/planRun.js"
export { type KeyParts, type Machine, stageKey } from "./store/stageKey.js"
export { type Store, storeAt, storeIn } from "./store/store.js"
export { whatChanged } from "./store/whatChanged.js"
export { crc32c, maskedCrc32c } from "./tensorboard/crc32c.js"
export { decodeRecords, encodeRecords } from "./tensorboard/records.js"
export { type ScalarPoint, scalarEvents } from "./tensorboard/scalarEvents.js"
export { pickTensors, type TensorSource, tensorSource } from "./tensorSource.js"
export { withBackend } from "./tfjs.js"
export { AdamW, adamW } from "./train/adamw.js"
export { type Learner, learningState, slots, type UpdateConfig } from "./train/applyGradients.js"
export { Average, averagedWeights, initAverage, isEmptyAverage } from "./train/average.js"
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
