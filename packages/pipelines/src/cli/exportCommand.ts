/** `millrace export`: what a run made, in the forms of other programs. */
import { join, resolve } from "node:path"
import { BadData, type Files, listFolder, type RunFacts, readRunFacts, writeWhole } from "@millrace/core"
import { Effect, Option } from "effect"
import { type Ended, failed, usage } from "./exit.js"
import { eventFiles } from "./export/eventFiles.js"
import { madeArtifact } from "./export/madeArtifact.js"
import { onnxModels } from "./export/onnxModels.js"
import { safetensorsFolder } from "./export/safetensorsFolder.js"
import { findRun } from "./findRun.js"
import { graphOfRun } from "./graphOfRun.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"

export interface ExportArguments {
  readonly run: string
  readonly stage: Option.Option<string>
  readonly format: "safetensors" | "onnx" | "tensorboard"
  readonly to: string
  readonly module: ReadonlyArray<string>
  readonly out: string
  readonly json: boolean
}

interface Exported {
  readonly files: Files
  readonly without: ReadonlyArray<string>
}

const wrong = (where: string, expected: string, received: string, fix: string): Ended =>
  usage(new BadData({ where, expected, received, fix }))

const exported = (given: ExportArguments, run: RunFacts): Effect.Effect<Exported, Ended> =>
  Effect.gen(function* () {
    const stage = Option.getOrUndefined(given.stage)
    if (given.format === "tensorboard") return { files: yield* eventFiles(run, stage), without: [] }
    if (stage === undefined) {
      const stages = [...run.story.stages.keys()].join(", ")
      return yield* wrong("stage", `the stage whose ${given.format} is wanted`, "none", `name one of ${stages}`)
    }
    const graph = yield* graphOfRun(run, given.module)
    const made = yield* madeArtifact(run, graph, stage)
    return given.format === "onnx"
      ? yield* onnxModels(run, graph, made)
      : { files: yield* safetensorsFolder(run, graph, made), without: [] }
  })

const size = (bytes: number): string =>
  bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`

/** @fails Ended  2: no such run or stage, or a folder with something in it; 3: another graph; 1: a damaged artifact, or the disk */
export const exportCommand = (given: ExportArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const run = yield* readRunFacts(yield* findRun(given.run, given.out)).pipe(
      Effect.mapError((error) => failed(error)),
    )
    const there = yield* listFolder(given.to).pipe(Effect.mapError(failed))
    if (there.length > 0) {
      return yield* wrong(
        "--to",
        "a folder that is empty or not there",
        `${given.to}, which has ${there[0]}`,
        "name another one",
      )
    }
    const { files, without } = yield* exported(given, run)
    for (const [name, bytes] of Object.entries(files)) {
      yield* writeWhole(join(resolve(given.to), name), bytes).pipe(Effect.mapError(failed))
    }
    const written = Object.entries(files).map(([name, bytes]) => ({ file: join(given.to, name), bytes: bytes.length }))
    for (const what of without) process.stderr.write(`left out: ${what}\n`)
    yield* print(
      given.json
        ? jsonText({ run: run.id, format: given.format, files: written, without })
        : written.map(({ file, bytes }) => `${file}  ${size(bytes)}`).join("\n"),
    )
  })
