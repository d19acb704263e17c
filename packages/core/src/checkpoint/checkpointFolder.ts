/**
 * The checkpoints of one stage in the folder of its run:
 *
 *   checkpoints/<stage>/000000000420/
 *     params.safetensors  optimizer.safetensors  average.safetensors   one file a group
 *     manifest.json                                                    the key of the stage, and the digest of every file
 *
 * One is written into a folder of another name, synced, and renamed: under its own name it is whole.
 */
import { join } from "node:path"
import { Effect, Option } from "effect"
import { sha256 } from "../artifact.js"
import { attempt } from "../attempt.js"
import {
  listFolder,
  lookAt,
  makeFolder,
  readFile,
  removeAll,
  renameTo,
  temporaryMark,
  writeWhole,
} from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { decodeSafetensors } from "../safetensors/decode.js"
import { encodeSafetensors } from "../safetensors/encode.js"
import type { HostTensors } from "../tensor.js"
import type { Checkpoint, Checkpoints } from "./checkpoint.js"
import { decodeManifest, encodeManifest, type Manifest, manifestName } from "./manifest.js"

/** The newest that are kept, besides the best. */
const keptNewest = 2

const folderName = (step: number): string => String(step).padStart(12, "0")
const ending = ".safetensors"

export interface CheckpointFolder extends Pick<Checkpoints, "restore" | "save"> {
  /** Removes all of them: once the stage's outputs are kept, nobody goes on from them. */
  readonly clear: Effect.Effect<void, DiskFailed>
}

/** A checkpoint that is whole. @fails BadData  it is damaged, or none */
const read = (folder: string): Effect.Effect<Checkpoint & { readonly key: string }, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const path = join(folder, manifestName)
    const { key, step, score, notes, files } = yield* decodeManifest(yield* readFile(path), path)
    const tensors: Record<string, HostTensors> = {}
    for (const [name, expected] of Object.entries(files)) {
      const file = join(folder, name)
      const bytes = yield* readFile(file)
      const found = sha256(bytes)
      if (found !== expected) {
        return yield* new BadData({
          where: file,
          expected: `SHA-256 ${expected}`,
          received: found,
          fix: "nothing: the checkpoint before it is taken",
        })
      }
      tensors[name.slice(0, -ending.length)] = (yield* decodeSafetensors(bytes, file)).tensors
    }
    return { key, step, tensors, notes, ...(score !== undefined && { score }) }
  })

/**
 * The checkpoints in a folder that belong to a key; those of other keys are left alone.
 * @param path  of the folder, which need not be there yet
 * @param key   of the stage: what decides what it makes
 * @param tell  is given a sentence where a checkpoint is damaged, and what is gone on from
 */
export const checkpointFolder = (
  path: string,
  key: string,
  tell: (text: string) => Effect.Effect<void>,
): CheckpointFolder => {
  /** Steps of what is known to be whole and of this key, with their scores. */
  const whole = new Map<number, number | undefined>()
  let count = 0

  /** Out of sight first: what is half removed must not look like a checkpoint. */
  const drop = (step: number): Effect.Effect<void, DiskFailed> =>
    Effect.gen(function* () {
      const folder = join(path, folderName(step))
      if ((yield* lookAt(folder)) === undefined) return
      const aside = `${folder}${temporaryMark}${process.pid}-${count++}`
      yield* renameTo(folder, aside)
      yield* removeAll(aside)
    })

  /** What the manifest alone says: enough to let a checkpoint go, or to keep it as the best. */
  const note = (step: number) =>
    Effect.gen(function* () {
      const file = join(path, folderName(step), manifestName)
      const found = yield* Effect.option(Effect.flatMap(readFile(file), (bytes) => decodeManifest(bytes, file)))
      if (Option.isSome(found) && found.value.key === key) whole.set(step, found.value.score)
    })

  const damaged = (step: number, how: string): Effect.Effect<undefined> =>
    Effect.as(tell(`the checkpoint after step ${step} ${how}; the one before it is taken`), undefined)

  const restore = Effect.gen(function* () {
    const names = yield* listFolder(path)
    // Of a process that was killed while it wrote.
    const parts = names.filter((name) => name.includes(temporaryMark))
    yield* Effect.forEach(parts, (name) => Effect.ignore(removeAll(join(path, name))))
    const steps = names
      .filter((name) => /^\d{12}$/.test(name))
      .map(Number)
      .reverse()
    let newest: Checkpoint | undefined
    for (const step of steps) {
      if (newest !== undefined) {
        yield* note(step)
        continue
      }
      const found = yield* read(join(path, folderName(step))).pipe(
        Effect.catchTags({
          BadData: ({ where, received }) => damaged(step, `is damaged (${where}: ${received})`),
          DiskFailed: ({ where, received }) => damaged(step, `cannot be read (${where}: ${received})`),
        }),
      )
      if (found === undefined || found.key !== key) continue
      const { key: _, ...checkpoint } = found
      whole.set(step, checkpoint.score)
      newest = checkpoint
    }
    if (newest !== undefined) yield* tell(`goes on from the checkpoint after step ${newest.step}`)
    return newest
  }).pipe(
    Effect.catchTag("DiskFailed", ({ where, received }) =>
      Effect.as(tell(`checkpoints cannot be read (${where}: ${received}); the stage starts over`), undefined),
    ),
  )

  const prune = Effect.gen(function* () {
    const newest = [...whole.keys()].sort((a, b) => b - a).slice(0, keptNewest)
    const best = [...whole].reduce<readonly [number, number] | undefined>(
      (lowest, [step, score]) =>
        score !== undefined && (lowest === undefined || score < lowest[1]) ? [step, score] : lowest,
      undefined,
    )
    for (const step of whole.keys()) {
      if (newest.includes(step) || step === best?.[0]) continue
      yield* drop(step)
      whole.delete(step)
    }
  })

  const write = (folder: string, { step, tensors, notes, score }: Checkpoint) =>
    Effect.gen(function* () {
      const files: Record<string, string> = {}
      for (const [group, values] of Object.entries(tensors)) {
        const bytes = yield* attempt(BadData, () => encodeSafetensors(values))
        yield* writeWhole(join(folder, group + ending), bytes)
        files[group + ending] = sha256(bytes)
      }
      const manifest: Manifest = {
        format: "millrace-checkpoint-1",
        key,
        step,
        notes,
        files,
        ...(score !== undefined && { score }),
      }
      yield* writeWhole(join(folder, manifestName), yield* encodeManifest(manifest))
    })

  const save = ({ score: given, ...checkpoint }: Checkpoint) =>
    Effect.gen(function* () {
      const { step } = checkpoint
      const score = Number.isFinite(given) ? given : undefined
      if (whole.has(step)) return
      const folder = join(path, folderName(step))
      const temporary = `${folder}${temporaryMark}${process.pid}-${count++}`
      yield* makeFolder(temporary)
      yield* write(temporary, { ...checkpoint, ...(score !== undefined && { score }) }).pipe(
        // A damaged one, or one of another key.
        Effect.andThen(drop(step)),
        Effect.andThen(renameTo(temporary, folder)),
        Effect.tapError(() => Effect.ignore(removeAll(temporary))),
      )
      whole.set(step, score)
      // It is kept: an old one that stays longer does no harm.
      yield* Effect.ignore(prune)
    })

  return { restore, save, clear: removeAll(path) }
}
