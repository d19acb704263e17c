/** What a stage computes as files of ONNX, with the weights that it made inside where they are those of the whole function. */
import {
  BadConfig,
  BadData,
  decodeSafetensors,
  exportFunction,
  exportOnnx,
  type Files,
  forward,
  type Graph,
  type HostTensors,
  isFailure,
  type Objective,
  outlinesOf,
  type RunFacts,
  type Specs,
  UnsupportedOp,
} from "@millrace/core"
import { clip, dvae, gpt } from "@millrace/models"
import { Effect } from "effect"
import { clipModelKind } from "../../artifacts/clipModel.js"
import { discreteVaeKind } from "../../artifacts/discreteVae.js"
import { languageModelKind } from "../../artifacts/languageModel.js"
import { type Ended, failed, usage } from "../exit.js"
import type { MadeArtifact } from "./madeArtifact.js"

export interface OnnxModels {
  readonly files: Files
  /** What could not be written, with the reason. */
  readonly without: ReadonlyArray<string>
}

/** Those whose names begin with `prefix`, without it. */
const under = (prefix: string, tensors: HostTensors): HostTensors =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  )

/** The model of a known kind by itself, on one example. */
const modelsOf = ({ kind, files }: MadeArtifact): Effect.Effect<Files, BadData> =>
  Effect.gen(function* () {
    if (kind === languageModelKind.name) {
      const { config, params } = yield* languageModelKind.read!(files)
      return { "model.onnx": exportOnnx(gpt.logits(config), params, { b: 1, t: config.context }) }
    }
    if (kind === clipModelKind.name) {
      const { config, params } = yield* clipModelKind.read!(files)
      return {
        "image.onnx": exportOnnx(clip.image(config), under("image.", params), { b: 1 }),
        "text.onnx": exportOnnx(clip.text(config), under("text.", params), { b: 1, t: config.text.context }),
      }
    }
    if (kind === discreteVaeKind.name) {
      const { config, params } = yield* discreteVaeKind.read!(files)
      return { "codes.onnx": exportOnnx(dvae.codes(config), under("encoder.", params), { b: 1 }) }
    }
    return {}
  })

/** Every tensor of an artifact, of all its safetensors files. */
const tensorsOf = ({ files }: MadeArtifact): Effect.Effect<HostTensors, BadData> =>
  Effect.map(
    Effect.forEach(
      Object.entries(files).filter(([name]) => name.endsWith(".safetensors")),
      ([name, bytes]) => decodeSafetensors(bytes, name),
    ),
    (found) => Object.assign({}, ...found.map(({ tensors }) => tensors)),
  )

/**
 * An objective's parameters among the tensors that a stage made. Where all of them belong to one node, an artifact leaves the node's
 * name out.
 * @returns undefined where one of them is not there
 */
const weightsFor = ({ paramSpecs }: Objective, tensors: HostTensors): HostTensors | undefined => {
  const names = Object.keys(paramSpecs)
  const owners = new Set(names.map((name) => name.split(".")[0]))
  const found = names.map((name) => {
    const short = owners.size === 1 ? name.slice(name.indexOf(".") + 1) : name
    return [name, tensors[name] ?? tensors[short]] as const
  })
  const fits = found.every(([name, tensor]) => tensor?.shape.join() === paramSpecs[name]!.shape.join())
  return fits && names.length > 0 ? (Object.fromEntries(found) as HostTensors) : undefined
}

const pick = (specs: Specs, names: ReadonlyArray<string>): Specs =>
  Object.fromEntries(Object.entries(specs).filter(([name]) => names.includes(name)))

/** What cannot be told or written is left out, and said; anything else is a defect. */
const attempted = (what: string, write: () => Files): OnnxModels => {
  try {
    return { files: write(), without: [] }
  } catch (error) {
    if (!(error instanceof BadConfig || error instanceof BadData || error instanceof UnsupportedOp)) throw error
    return { files: {}, without: [`${what}: ${error.message}`] }
  }
}

const functionsOf = (run: RunFacts, graph: Graph, stage: string, tensors: HostTensors): OnnxModels => {
  const outline = outlinesOf(graph).find((one) => one.stage === stage)
  if (outline === undefined) return { files: {}, without: [] }
  const metadata = { "millrace.run": run.id, "millrace.stage": stage }
  const told: Record<string, ReturnType<typeof outline.functions>[string]> = {}
  const asked = attempted(stage, () => {
    Object.assign(told, outline.functions())
    return {}
  })
  const made = Object.entries(told).map(([name, subject]) =>
    attempted(`${stage} > ${name}`, () => {
      const { fn, objective } = subject()
      const step = { [`${name}.onnx`]: exportFunction(fn, { metadata }) }
      const params = objective === undefined ? undefined : weightsFor(objective, tensors)
      if (objective?.graph === undefined || params === undefined) return step
      const inputs = pick(fn.inputs, Object.keys(objective.graph.inputs))
      return {
        ...step,
        [`${name}.objective.onnx`]: exportFunction(forward(objective, inputs), { state: { params }, metadata }),
      }
    }),
  )
  return {
    files: Object.assign({}, ...made.map(({ files }) => files)),
    without: [asked, ...made].flatMap(({ without }) => without),
  }
}

/**
 * The functions that the stage's outline names, each as `<name>.onnx` with its state as inputs and next state as outputs; with the
 * stage's weights inside, `<name>.objective.onnx`, what it minimises; and for the models of the papers `model.onnx`, or a file for
 * each of its halves, on one example.
 * @fails Ended  2: a stage without any; 1: an artifact that is damaged
 */
export const onnxModels = (run: RunFacts, graph: Graph, made: MadeArtifact): Effect.Effect<OnnxModels, Ended> =>
  Effect.gen(function* () {
    const tensors = yield* tensorsOf(made).pipe(Effect.mapError(failed))
    const models = yield* modelsOf(made).pipe(
      Effect.mapError(failed),
      // More weights than a file can hold.
      Effect.catchDefect((defect) => (isFailure(defect) ? Effect.fail(failed(defect)) : Effect.die(defect))),
    )
    const functions = functionsOf(run, graph, made.stage, tensors)
    const files = { ...functions.files, ...models }
    if (Object.keys(files).length > 0) return { files, without: functions.without }
    return yield* usage(
      new BadData({
        where: made.stage,
        expected: "a stage that tells which tensor functions it runs, or makes a model that is known",
        received: functions.without[0] ?? `${made.node.type}@${made.node.version}, which does neither`,
        fix: "name a stage that trains or runs a model",
      }),
    )
  })
