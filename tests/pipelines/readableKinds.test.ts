/** Artifacts come back from their files: every kind but the manifests, bit for bit, and no damage passes for a value. */
import {
  BadData,
  canonicalJson,
  decodeSafetensors,
  digestFiles,
  encodeSafetensors,
  type Files,
  type HostTensor,
  messageOf,
} from "@millrace/core"
import * as pipelines from "@millrace/pipelines"
import { Cause, Effect, Exit } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { kindExamples } from "./kindExamples.js"

/** Kinds whose files say where the value comes from and do not hold it: their stage makes it again. */
const manifests = ["captioned-images", "corpus"]

const isKind = (value: unknown): value is { readonly name: string; readonly files: unknown; readonly read?: unknown } =>
  typeof value === "object" &&
  value !== null &&
  "name" in value &&
  "files" in value &&
  typeof value.files === "function"

const runs = process.env.MILLRACE_LONG ? 100 : 8

test("every kind that is no manifest can be read, and has examples here", () => {
  const exported: ReadonlyArray<unknown> = Object.values(pipelines)
  const kinds = exported.filter(isKind)
  expect(kinds.length).toBeGreaterThan(20)
  const readable = kinds.filter(({ read }) => read !== undefined).map(({ name }) => name)
  expect(kinds.filter(({ read }) => read === undefined).map(({ name }) => name)).toEqual(manifests)
  expect(readable.sort()).toEqual(kindExamples.map(({ name }) => name).sort())
})

test("a value that is code of one's own is refused with what to do: its stage makes it again", () => {
  const { labelerKind, rewardKind, judgeKind } = pipelines
  const rule = { "rule.txt": new TextEncoder().encode("short words") }
  const own = labelerKind.files({ source: "a person", score: () => 0, data: {} })
  for (const error of [labelerKind.read!(own), rewardKind.read!(rule), judgeKind.read!(rule)].map(
    (read: Effect.Effect<unknown, BadData>) => Effect.runSync(Effect.flip(read)),
  )) {
    expect(error.received).toMatch(/^one whose value is code: (labeler\.json|rule\.txt)$/)
    expect(error.fix).toContain("run the stage that makes it")
  }
})

test("a lexicon's labeler scores after it was read as it did before", () => {
  const made = pipelines.lexiconLabeler("a test", { good: 3, "not good": -2, constructor: 5 })
  const read = Effect.runSync(pipelines.labelerKind.read!(pipelines.labelerKind.files(made)))
  for (const text of ["Good.", "not good, good", "the constructor of toString"]) {
    expect(read.score(text)).toBe(made.score(text))
  }
  expect(read.score("not good, good")).toBe(1)
})

// --- damage

const utf8 = new TextEncoder()
const isJson = (name: string): boolean => name.endsWith(".json") && name !== "vocab.json"
const others: ReadonlyArray<unknown> = [null, true, -1, 0.5, 2 ** 53, "text", [], {}, [1], { a: 1 }]
const other = fc.constantFrom(...others)

/** A JSON value with one of its values replaced, or a key more or less. */
const otherJson = (value: unknown, pick: number, by: unknown): unknown => {
  if (typeof value !== "object" || value === null || pick % 7 === 0) return by
  if (Array.isArray(value)) {
    if (value.length === 0 || pick % 5 === 0) return [...value, by]
    const at = pick % value.length
    return pick % 3 === 0 ? value.toSpliced(at, 1) : value.with(at, otherJson(value[at], pick >> 3, by))
  }
  const entries = Object.entries(value)
  if (entries.length === 0 || pick % 5 === 0) return { ...value, more: by }
  const at = pick % entries.length
  const [name, item] = entries[at]!
  const rest = entries.toSpliced(at, 1)
  return Object.fromEntries(pick % 3 === 0 ? rest : [...rest, [name, otherJson(item, pick >> 3, by)]])
}

/** A JSON value once for each of its numbers, with that one beyond all memory. */
const hugeEach = (value: unknown): ReadonlyArray<unknown> => {
  if (typeof value === "number") return [2 ** 45]
  if (typeof value !== "object" || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item, i) => hugeEach(item).map((huge) => value.with(i, huge)))
  return Object.entries(value).flatMap(([name, item]) => hugeEach(item).map((huge) => ({ ...value, [name]: huge })))
}

/** A tensor of another shape, another type, or with a number that is none. */
const misshapen = (tensor: HostTensor, pick: number): HostTensor => {
  if (pick % 4 === 0) return { ...tensor, shape: [...tensor.shape, 1] }
  if (pick % 4 === 1) return { ...tensor, shape: tensor.shape.toReversed() }
  if (pick % 4 === 2) {
    const data = tensor.dtype === "int32" ? Float32Array.from(tensor.data) : Int32Array.from(tensor.data)
    return { dtype: tensor.dtype === "int32" ? "float32" : "int32", shape: tensor.shape, data }
  }
  const data = tensor.data.slice()
  if (data.length > 0) data[pick % data.length] = tensor.dtype === "int32" ? -(2 ** 31) : Number.NaN
  return { ...tensor, data }
}

const damages: Readonly<Record<string, (files: Files, name: string, pick: number, by: unknown) => Files>> = {
  "a file that is missing": (files, name) =>
    Object.fromEntries(Object.entries(files).filter(([each]) => each !== name)),
  "a file too many": (files, _, pick) => ({
    ...files,
    [["more.json", "constructor", "toString", ""][pick % 4]!]: utf8.encode("{}"),
  }),
  "a flipped bit": (files, name, pick) => {
    const bytes = files[name]!.slice()
    if (bytes.length > 0) bytes[pick % bytes.length]! ^= 1 << (pick % 8)
    return { ...files, [name]: bytes }
  },
  "a file cut short": (files, name, pick) => ({
    ...files,
    [name]: files[name]!.slice(0, pick % Math.max(1, files[name]!.length)),
  }),
  "bytes too many": (files, name, pick) => ({ ...files, [name]: Uint8Array.of(...files[name]!, pick & 255) }),
  "files that have changed places": (files, name, pick) => {
    const names = Object.keys(files)
    const with_ = names[pick % names.length]!
    return { ...files, [name]: files[with_]!, [with_]: files[name]! }
  },
  "the same in other words": (files, name) => {
    const bytes = files[name]!
    if (name.endsWith(".png")) return files
    if (name.endsWith(".safetensors")) {
      const { tensors } = Effect.runSync(decodeSafetensors(bytes, name))
      return { ...files, [name]: encodeSafetensors(tensors, { format: "pt" }) }
    }
    const text = new TextDecoder().decode(bytes)
    return { ...files, [name]: utf8.encode(name === "merges.txt" ? text.slice(0, -1) : text.replace(/[[{]/, "$& ")) }
  },
  "another JSON value": (files, _, pick, by) => {
    const names = Object.keys(files).filter(isJson)
    const name = names[pick % names.length]
    if (name === undefined) return files
    const value: unknown = JSON.parse(new TextDecoder().decode(files[name]))
    return { ...files, [name]: utf8.encode(canonicalJson(otherJson(value, pick >> 2, by))) }
  },
  "another line": (files, _, pick, by) => {
    const names = Object.keys(files).filter((name) => name.endsWith(".jsonl"))
    const name = names[pick % names.length]
    if (name === undefined) return files
    const lines = new TextDecoder().decode(files[name]).split("\n").slice(0, -1)
    const at = pick % Math.max(1, lines.length)
    const value: unknown = JSON.parse(lines[at] ?? "{}")
    const text = canonicalJson(otherJson(value, pick >> 2, by))
    return { ...files, [name]: utf8.encode([...lines.slice(0, at), text, ...lines.slice(at + 1), ""].join("\n")) }
  },
  "a tensor of another kind": (files, _, pick) => {
    const names = Object.keys(files).filter((name) => name.endsWith(".safetensors"))
    const name = names[pick % names.length]
    if (name === undefined) return files
    const { tensors } = Effect.runSync(decodeSafetensors(files[name]!, name))
    const each = Object.keys(tensors)
    const at = each[pick % each.length]
    if (at === undefined)
      return { ...files, [name]: encodeSafetensors({ more: { dtype: "bool", shape: [], data: Uint8Array.of(1) } }) }
    const { [at]: tensor, ...rest } = tensors
    if (pick % 5 === 0) return { ...files, [name]: encodeSafetensors(rest) }
    if (pick % 5 === 1) return { ...files, [name]: encodeSafetensors({ ...rest, [`${at}2`]: tensor! }) }
    return { ...files, [name]: encodeSafetensors({ ...rest, [at]: misshapen(tensor!, pick >> 3) }) }
  },
}

/** Whether two artifacts differ in pictures alone: what follows the end of a PNG is nothing that it says. */
const onlyPictures = (files: Files, damaged: Files): boolean =>
  Object.keys(files).sort().join() === Object.keys(damaged).sort().join() &&
  Object.keys(files).every((name) => name.endsWith(".png") || Buffer.compare(files[name]!, damaged[name]!) === 0)

describe.each(kindExamples)("$name", ({ files: arbitrary, again }) => {
  const read = (files: Files) => Effect.runSyncExit(again!(files))

  /** Damaged files are refused with BadData, or are those of another value; pictures may be of the same. */
  const check = (files: Files, damaged: Files): void => {
    const exit = read(damaged)
    if (Exit.isFailure(exit)) {
      const error = Cause.squash(exit.cause)
      if (!(error instanceof BadData)) throw error
      for (const field of ["where", "expected", "received", "fix"] as const) expect(error[field]).not.toBe("")
    } else {
      const same = new Set([digestFiles(damaged), ...(onlyPictures(files, damaged) ? [digestFiles(files)] : [])])
      expect(same).toContain(digestFiles(exit.value))
    }
  }

  test("gives the same bytes after it was read", () => {
    fc.assert(
      fc.property(arbitrary, (files) => {
        const exit = read(files)
        if (Exit.isFailure(exit)) throw new Error(messageOf(Cause.squash(exit.cause)))
        expect(Object.keys(exit.value).sort()).toEqual(Object.keys(files).sort())
        for (const [name, bytes] of Object.entries(files)) expect(Buffer.compare(exit.value[name]!, bytes)).toBe(0)
      }),
      { numRuns: runs },
    )
  })

  test("takes damaged files for bad data, or for what they then say, and never for worse", () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.nat(2 ** 20), other, (files, which, pick, by) => {
        const names = Object.keys(files)
        for (const damage of Object.values(damages)) check(files, damage(files, names[which % names.length]!, pick, by))
      }),
      { numRuns: runs },
    )
  })

  test("counts nothing out that a number of a JSON file asks for, before the other files are known to have it", () => {
    const [files] = fc.sample(arbitrary, { numRuns: 1, seed: 1 })
    for (const name of Object.keys(files!).filter(isJson)) {
      for (const huge of hugeEach(JSON.parse(new TextDecoder().decode(files![name])))) {
        check(files!, { ...files, [name]: utf8.encode(canonicalJson(huge)) })
      }
    }
  })
})
