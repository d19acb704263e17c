/** Folders whose weights were damaged: they load, or are refused with BadData. */
import {
  BadData,
  encodeSafetensors,
  type Files,
  flatten,
  float32,
  type HostTensors,
  isParamSpec,
  type ParamSpec,
} from "@millrace/core"
import {
  type ClipConfig,
  clipParams,
  type GptConfig,
  gptParams,
  huggingFaceClip,
  loadClip,
  loadGpt,
  saveClip,
  saveGpt,
  toCheckpoint,
} from "@millrace/models"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { seed } from "../laws/replay.js"
import { testParams } from "./reference/params.js"

const valuesOf = (specs: Parameters<typeof testParams>[0]): HostTensors => {
  const drawn = testParams(specs)
  return Object.fromEntries(
    Object.entries(flatten<ParamSpec>(specs, isParamSpec)).map(([name, { shape }]) => [
      name,
      float32(shape, Float32Array.from(drawn[name]!)),
    ]),
  )
}

const gpt: GptConfig = { vocab: 3, context: 2, width: 2, layers: 1, heads: 1 }
const clip: ClipConfig = {
  joint: 2,
  image: { kind: "vit", size: 2, patch: 1, width: 2, layers: 1, heads: 1 },
  text: { vocab: 3, context: 2, width: 2, layers: 1, heads: 1 },
}
const clipValues = valuesOf(clipParams(clip))
const runs = process.env.MILLRACE_LONG === undefined ? 2_000 : 20_000

type Damage = (bytes: Uint8Array) => Uint8Array

/** Most faults go into the header, where one byte tells of many. */
const damages = (header: number, length: number): fc.Arbitrary<Damage> => {
  const place = fc.oneof({ weight: 4, arbitrary: fc.nat(header - 1) }, { weight: 1, arbitrary: fc.nat(length - 1) })
  const sign = fc.constantFrom(...'{}[]",:-0129eFIUB6\\ \0')
  return fc.oneof(
    fc.tuple(place, fc.nat(255)).map(
      ([at, byte]): Damage =>
        (bytes) =>
          bytes.slice().fill(byte, at, at + 1),
    ),
    fc.tuple(place, sign).map(
      ([at, s]): Damage =>
        (bytes) =>
          bytes.slice().fill(s.charCodeAt(0), at, at + 1),
    ),
    place.map(
      (at): Damage =>
        (bytes) =>
          bytes.slice(0, at),
    ),
    // One digit of the header by another: sizes, offsets, numbers of blocks.
    fc.tuple(fc.nat(header - 1), fc.nat(9)).map(
      ([from, digit]): Damage =>
        (bytes) => {
          const at = bytes.findIndex((byte, i) => i >= from && i >= 8 && byte >= 48 && byte <= 57)
          return at < 0 ? bytes : bytes.slice().fill(48 + digit, at, at + 1)
        },
    ),
  )
}

test.each([
  ["GPT", saveGpt(gpt, valuesOf(gptParams(gpt))), (files: Files) => Effect.as(loadGpt(files, "folder"), null)],
  ["CLIP", saveClip(clip, clipValues), (files: Files) => Effect.as(loadClip(files, "folder"), null)],
] as const)("damaged weights of a %s load or are refused with BadData, never worse", (_, files: Files, load) => {
  const whole = files["model.safetensors"]!
  const header = 8 + new DataView(whole.buffer, whole.byteOffset).getUint32(0, true)
  let refused = 0
  let loaded = 0
  fc.assert(
    fc.property(fc.array(damages(header, whole.length), { minLength: 1, maxLength: 3 }), (given) => {
      const bytes = given.reduce((rest, damage) => damage(rest), whole)
      const found = Effect.runSync(
        Effect.catch(load({ ...files, "model.safetensors": bytes }), (error) => Effect.succeed(error)),
      )
      if (found === null) loaded++
      else {
        expect(found).toBeInstanceOf(BadData)
        expect(found.expected.split("\n")).toHaveLength(found.received.split("\n").length)
        refused++
      }
    }),
    { seed, numRuns: runs / 2 },
  )
  expect(refused).toBeGreaterThan(runs / 8)
  expect(loaded).toBeGreaterThan(0)
})

test("weights that are another model's are refused before a tensor of theirs is looked at", () => {
  const { logit_scale: _, ...rest } = toCheckpoint(huggingFaceClip, clipValues)
  // The mask's bytes are wrong as well, which only reading it would tell.
  const bytes = encodeSafetensors({ ...rest, mask: { dtype: "bool", shape: [1], data: Uint8Array.of(2) } })
  const files = { ...saveClip(clip, clipValues), "model.safetensors": bytes }
  const { expected } = Effect.runSync(Effect.flip(loadClip(files, "folder")))
  expect(expected).toBe("logit_scale: float32\nnothing named mask")
})

test("the numbers of positions in OpenAI's own file, of a type that is not read, are left out", () => {
  const text = saveClip(clip, clipValues)["model.safetensors"]!
  const length = new DataView(text.buffer, text.byteOffset).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(text.subarray(8, 8 + length)))
  const end = text.length - 8 - length
  header["text_model.embeddings.position_ids"] = { dtype: "I64", shape: [1, 2], data_offsets: [end, end + 16] }
  const json = Buffer.from(JSON.stringify(header))
  const first = Buffer.alloc(8)
  first.writeBigUInt64LE(BigInt(json.length))
  const bytes = Buffer.concat([first, json, text.subarray(8 + length), Buffer.alloc(16)])
  const files = { ...saveClip(clip, clipValues), "model.safetensors": bytes }
  expect(Effect.runSync(loadClip(files, "folder")).values).toEqual(clipValues)
})
