/** `millrace reproduce`: runs a crate's graph again and compares. */
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Disk, Engines, makeFolder, recordRun, removeAll, runEvents } from "@millrace/core"
import { compareRuns, metricsOf, type OpenCrate, unpackFiles, whereOf } from "@millrace/core/crate"
import { BadConfig, BadData, canonicalJson, type EngineName, engineNames, parseJson } from "@millrace/core/definitions"
import { Effect, Option } from "effect"
import { showRun } from "../view/terminal.js"
import { Ended, failed, invalid, mismatch } from "./exit.js"
import { print } from "./print.js"
import { readCrate } from "./readCrate.js"
import { comparisonText } from "./reproduceText.js"
import { seedOf } from "./seedOf.js"

export interface ReproduceArguments {
  readonly crate: string
  readonly module: ReadonlyArray<string>
  readonly engine: Option.Option<EngineName>
  readonly keep: Option.Option<string>
  readonly quiet: boolean
  readonly json: boolean
}
