/** What a stage of a run made, read from the run's folder and checked against its digest. */
import { dirname, join } from "node:path"
import {
  BadData,
  type DiskFailed,
  didYouMean,
  digestFiles,
  type Files,
  type Graph,
  isGraph,
  isPort,
  keptPath,
  listFolder,
  lookAt,
  type Port,
  type RunFacts,
  readFile,
  type StageNode,
} from "@millrace/core"
import { Effect } from "effect"
import { type Ended, failed, usage } from "../exit.js"

/** One output of one stage. */
export interface MadeArtifact {
  readonly stage: string
  readonly port: string
  /** The name of its kind: `language-model` */
  readonly kind: string
  readonly node: StageNode
  readonly digest: string
  readonly files: Files
}

/** A stage of the graph by its path, `outer.inner`. */
export const stageAt = (graph: Graph, path: string): StageNode | undefined => {
  for (const { name, node } of graph.nodes) {
    if (isGraph(node)) {
      const inner = path.startsWith(`${name}.`) ? stageAt(node, path.slice(name.length + 1)) : undefined
      if (inner !== undefined) return inner
    } else if (name === path && node.level === "stage") return node
  }
  return undefined
}

/** The name of one part of a path, undoing what keeps it plain; parts that were cut for their length stay as they are. */
const unescaped = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const filesIn = (folder: string, above = ""): Effect.Effect<Files, DiskFailed> =>
  Effect.gen(function* () {
    const files: Record<string, Uint8Array> = {}
    for (const name of yield* listFolder(folder)) {
      const path = join(folder, name)
      const entry = yield* lookAt(path)
      if (entry?.kind === "folder") Object.assign(files, yield* filesIn(path, `${above}${unescaped(name)}/`))
      if (entry?.kind === "file") files[above + unescaped(name)] = yield* readFile(path)
    }
    return files
  })

const wrong = (expected: string, received: string, fix: string): Ended =>
  usage(new BadData({ where: "stage", expected, received, fix }))

/** `ppo`, `outer.inner`, or either with a port after it, where the stage has several. */
const findOutput = (run: RunFacts, name: string): Effect.Effect<{ stage: string; port: string }, Ended> =>
  Effect.suspend(() => {
    const stages = [...run.story.stages.values()]
    const whole = stages.find((stage) => stage.name === name)
    if (whole !== undefined) {
      const ports = Object.keys(whole.digests)
      if (ports.length === 1) return Effect.succeed({ stage: name, port: ports[0]! })
      return Effect.fail(
        ports.length === 0
          ? wrong("a stage that ended", `"${name}", which is ${whole.status}`, "millrace resume  goes on with the run")
          : wrong("one of its outputs", `"${name}"`, `name one: ${ports.map((port) => `${name}.${port}`).join(", ")}`),
      )
    }
    const dot = name.lastIndexOf(".")
    const [stage, port] = [name.slice(0, dot), name.slice(dot + 1)]
    const found = dot < 0 ? undefined : stages.find((one) => one.name === stage)
    if (found !== undefined && Object.hasOwn(found.digests, port)) return Effect.succeed({ stage, port })
    const names =
      found === undefined ? stages.map((one) => one.name) : Object.keys(found.digests).map((one) => `${stage}.${one}`)
    return Effect.fail(wrong(`a stage of ${run.graph}, or stage.port`, `"${name}"`, didYouMean(name, names)))
  })

/** The artifact at an output. @fails Ended  1: its files are not those that the stage made */
const readOutput = (
  run: RunFacts,
  graph: Graph,
  { stage, port }: { readonly stage: string; readonly port: string },
): Effect.Effect<MadeArtifact, Ended> =>
  Effect.gen(function* () {
    const node = stageAt(graph, stage)
    const digest = run.story.stages.get(stage)?.digests[port] ?? ""
    const files = yield* filesIn(join(run.path, dirname(keptPath({ stage, name: port }, "file"))))
    const found = digestFiles(files)
    if (node === undefined || found !== digest) {
      return yield* failed(
        new BadData({
          where: `${run.path} > ${stage} > ${port}`,
          expected: `files with the digest ${digest}`,
          received: Object.keys(files).length === 0 ? "no files" : found,
          fix: "they were changed or removed since: run the graph again, which takes from the store what is whole",
        }),
      )
    }
    const out: Port | undefined = isPort(node.out) ? node.out : node.out[port]
    return { stage, port, kind: out?.unit ?? "?", node, digest, files }
  }).pipe(Effect.catchTag("DiskFailed", (error) => Effect.fail(failed(error))))

/** The artifact of a name such as `ppo` or `ppo.policy`. @fails Ended  2: no such output; 1: it is damaged */
export const madeArtifact = (run: RunFacts, graph: Graph, name: string): Effect.Effect<MadeArtifact, Ended> =>
  Effect.flatMap(findOutput(run, name), (output) => readOutput(run, graph, output))

/** Every artifact of a kind that the run made, each digest once. */
export const artifactsOf = (
  run: RunFacts,
  graph: Graph,
  kind: string,
): Effect.Effect<ReadonlyArray<MadeArtifact>, Ended> =>
  Effect.gen(function* () {
    const found = new Map<string, MadeArtifact>()
    for (const { name, digests } of run.story.stages.values()) {
      const node = stageAt(graph, name)
      if (node === undefined) continue
      for (const port of Object.keys(digests)) {
        const out: Port | undefined = isPort(node.out) ? node.out : node.out[port]
        if (out?.unit !== kind) continue
        const made = yield* readOutput(run, graph, { stage: name, port })
        found.set(made.digest, made)
      }
    }
    return [...found.values()]
  })
