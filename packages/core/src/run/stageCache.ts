/** What a run asks of the store: whether a stage was made before, and to keep what it made. */
import { Effect } from "effect"
import type { FileNames, Files } from "../artifact.js"
import type { DiskFailed } from "../errors.js"
import type { StageNode } from "../node.js"
import type { Key } from "../random/key.js"
import type { Made } from "../store/made.js"
import { type KeyParts, keyParts, type Machine, stageKey } from "../store/stageKey.js"
import { isSound, type Store } from "../store/store.js"
import type { RunEvent } from "./event.js"
import { decodeEvents, encodeEvent } from "./eventLine.js"
import type { StageOutput } from "./stageOutputs.js"

/** What a stage told, without its start and end. */
export type ToldEvent = Extract<RunEvent, { readonly stage: string }>

export interface Hit {
  readonly made: Made
  /** The files of each output, in the order of the record. */
  readonly outputs: ReadonlyArray<Files>
  readonly images: ReadonlyArray<{ readonly name: string; readonly files: Files }>
  readonly told: ReadonlyArray<ToldEvent>
}

export interface StageCache {
  readonly partsOf: (node: StageNode, key: Key, inputs: Readonly<Record<string, string>>) => KeyParts
  /** What was made under these parts, read whole and checked; nothing where any of it is missing or damaged. */
  readonly find: (stage: string, parts: KeyParts) => Effect.Effect<Hit | undefined, DiskFailed>
  /** The files of an output, again. Nothing where they are gone since. */
  readonly files: (made: Made, port: string) => Effect.Effect<Files | undefined, DiskFailed>
  readonly putImages: (files: Files) => Effect.Effect<FileNames, DiskFailed>
  readonly save: (made: {
    readonly stage: string
    readonly parts: KeyParts
    readonly seconds: number
    readonly memory?: number
    readonly outputs: ReadonlyArray<StageOutput>
    readonly images: Made["images"]
    readonly told: ReadonlyArray<ToldEvent>
  }) => Effect.Effect<void, DiskFailed>
}

export interface StageCacheOptions {
  readonly store: Store
  readonly run: string
  readonly graph: string
  readonly machine: Machine
  /** False where every stage is to run, and what it makes still to be kept. */
  readonly read: boolean
}

const encodeTold = (told: ReadonlyArray<ToldEvent>): Uint8Array =>
  new TextEncoder().encode(
    told.map((event, sequence) => `${encodeEvent({ ...event, sequence, secondsSinceStart: 0 })}\n`).join(""),
  )

const decodeTold = (bytes: Uint8Array | undefined): ReadonlyArray<ToldEvent> =>
  decodeEvents(new TextDecoder().decode(bytes)).flatMap((event) => {
    const { sequence: _, secondsSinceStart: __, ...told } = event
    return "stage" in told ? [told] : []
  })

export const stageCache = ({ store, run, graph, machine, read }: StageCacheOptions): StageCache => {
  const takeAll = (made: Made) =>
    Effect.gen(function* () {
      const outputs = yield* Effect.forEach(made.outputs, ({ files }) => store.take(files))
      const images = yield* Effect.forEach(made.images, ({ name, files }) =>
        Effect.map(store.take(files), (taken) => ({ name, files: taken })),
      )
      const told = decodeTold((yield* store.take({ "events.jsonl": made.events }))["events.jsonl"])
      return { made, outputs, images, told }
    }).pipe(Effect.catchTag("BadData", () => Effect.succeed(undefined)))

  return {
    partsOf: (node, key, inputs) => keyParts(node, inputs, key, machine),
    find: (stage, parts) =>
      Effect.gen(function* () {
        const made = read ? yield* store.find(stageKey(parts)) : undefined
        yield* store.setLast(graph, stage, parts)
        return made === undefined || !isSound(made) ? undefined : yield* takeAll(made)
      }),
    files: (made, port) =>
      store
        .take(made.outputs.find((output) => output.port === port)?.files ?? {})
        .pipe(Effect.catchTag("BadData", () => Effect.succeed(undefined))),
    putImages: store.put,
    save: ({ stage, parts, outputs, images, told, ...took }) =>
      Effect.gen(function* () {
        const kept = yield* Effect.forEach(outputs, ({ port, kind, digest, files }) =>
          Effect.map(store.put(files), (names) => ({ port, kind, digest, files: names })),
        )
        const { events = "" } = yield* store.put({ events: encodeTold(told) })
        const key = stageKey(parts)
        yield* store.record({ key, parts, run, graph, stage, ...took, outputs: kept, images, events })
      }),
  }
}
