/** A stage that was found in the store. */
import { Effect } from "effect"
import { digestFiles } from "../artifact.js"
import type { Engine } from "../engine.js"
import { BadData } from "../errors.js"
import { type Executed, executeStage } from "./executeStage.js"
import { inputDigests, type Outcome, type Placed, type StageError } from "./placed.js"
import type { RunOptions } from "./runGraph.js"
import type { StageDone } from "./runStage.js"
import type { Hit } from "./stageCache.js"
import { outputPorts } from "./stageOutputs.js"

/** Tells of a stage that was found, and puts its files into the run folder. */
const replay = <E, R>(placed: Placed<E, R>, { made, outputs, images, told }: Hit, options: RunOptions<E, R>) =>
  Effect.gen(function* () {
    const { events, keep, earlier } = options
    const { node, stage, key } = placed
    const inputs = inputDigests(placed)
    const digests = Object.fromEntries(made.outputs.map(({ port, digest }) => [port, digest]))
    // Its process may have been killed before it had removed them.
    if (earlier !== undefined && inputs !== undefined) {
      yield* Effect.ignore(options.checkpoints?.({ node, stage, key, inputs }, () => Effect.void).clear ?? Effect.void)
    }
    const known = earlier?.digests[stage] ?? {}
    if (made.outputs.every(({ port, digest }) => known[port] === digest)) return digests
    if (keep !== undefined) {
      for (const [i, { port, kind, digest }] of made.outputs.entries()) {
        yield* keep({ stage, name: port, kind, files: outputs[i]!, digest })
      }
      for (const { name, files } of images) {
        yield* keep({ stage, name, folder: "images", files, digest: digestFiles(files) })
      }
    }
    const { run: from, seconds } = made
    events.emit({ type: "stage.cached", stage, node: `${node.type}@${node.version}`, digests, from, seconds })
    for (const event of told) events.emit({ ...event, stage })
    return digests
  })

/**
 * The outputs of a stage that was found. A value is read from its files when a later stage asks for it; where they are a
 * manifest alone, hold no value that can be read, or are gone by then, the stage runs after all, and must make the same again.
 */
const outputsOf = <E, R>(placed: Placed<E, R>, { made, outputs }: Hit, options: RunOptions<E, R>): Outcome<E, R> => {
  const { node, where } = placed
  // What was read and checked is taken while it is in memory, and weights are not held there for a stage that may never ask.
  const checked = new Map(outputs.map((files, i) => [made.outputs[i]?.port, new WeakRef(files)]))
  let again: Executed | undefined
  const makeAgain = (port: string, digest: string): Effect.Effect<unknown, StageError<E>, Engine | R> =>
    Effect.gen(function* () {
      again ??= yield* executeStage(placed, options)
      if (again.digests[port] === digest) return again.values[port]
      return yield* new BadData({
        where: `${where} > ${port}`,
        expected: `what it made before, with digest ${digest}`,
        received: `digest ${again.digests[port]}`,
        fix: "a stage that reads what may change is defined with `volatile: true`; with --no-cache every stage runs",
      })
    })
  return Object.fromEntries(
    outputPorts(node).map(([port, { kind }]) => {
      const digest = made.outputs.find((output) => output.port === port)?.digest ?? ""
      const read = kind?.read
      let value: { readonly is: unknown } | undefined
      const load = Effect.gen(function* () {
        if (value !== undefined) return value.is
        const files =
          read === undefined ? undefined : (checked.get(port)?.deref() ?? (yield* options.cache!.files(made, port)))
        const again = makeAgain(port, digest)
        const is =
          files === undefined || read === undefined
            ? yield* again
            : // The bytes are those that were written: where they cannot be read, the value was more than its files.
              yield* Effect.catchTag(read(files), "BadData", () => again)
        value = { is }
        return is
      })
      return [port, { digest, value: load }]
    }),
  )
}

/** A stage that was found, told and put into the run folder. */
export const foundStage = <E, R>(
  placed: Placed<E, R>,
  hit: Hit,
  options: RunOptions<E, R>,
): Effect.Effect<StageDone<E, R>, StageError<E>, R> =>
  Effect.map(Effect.uninterruptible(replay(placed, hit, options)), (digests) => ({
    digests,
    outputs: outputsOf(placed, hit, options),
  }))
