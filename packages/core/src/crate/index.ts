/** Crates: published runs. Loaded by the commands that make and read them, and never by a run. */

export { croissantOf, croissantPath } from "./croissant.js"
export { type CrateOptions, crateFiles, makeCrate } from "./makeCrate.js"
export { defaultTolerance, type Metric, metricsOf, type Tolerance } from "./metrics.js"
export { artifactPath } from "./parts.js"
export { readRun } from "./readRun.js"
export type { DataSet, RecordSet, RunRecord } from "./record.js"
export { decodeZip } from "./zip/decode.js"
export { encodeZip } from "./zip/encode.js"
export { collisionIn, whyNotEntryName } from "./zip/entryName.js"
export { type ZipLimits, zipLimits } from "./zip/limits.js"
