import { readFileSync } from "node:fs"
import {
  BadData,
  decodeSafetensors,
  flatten,
  float32,
  type HostTensors,
  isParamSpec,
  type ParamSpec,
} from "@millrace/core"
import {
  ClipConfig,
  clipParams,
  fromCheckpoint,
  huggingFaceClip,
  openAiClip,
  type RenameTable,
  toCheckpoint,
} from "@millrace/models"
import { Effect, Schema } from "effect"
import { describe, expect, test } from "vitest"

/** A checkpoint of a fixture, under its oracle's names, and the config that it is of. */
const read = async (fixture: string): Promise<{ readonly config: ClipConfig; readonly theirs: HostTensors }> => {
  const file = readFileSync(new URL(`../fixtures/parity/${fixture}.safetensors`, import.meta.url))
  const { tensors, metadata } = await Effect.runPromise(decodeSafetensors(file, fixture))
  return {
    config: Schema.decodeUnknownSync(Schema.fromJsonString(ClipConfig))(metadata.config),
    theirs: Object.fromEntries(
      Object.entries(tensors).flatMap(([name, each]) => (name.startsWith("param/") ? [[name.slice(6), each]] : [])),
    ),
  }
}
const specsOf = (config: ClipConfig) => flatten<ParamSpec>(clipParams(config), isParamSpec)

describe.each<[string, (config: ClipConfig) => RenameTable]>([
  ["clip-transformers", () => huggingFaceClip],
  ["clip-transformers-gelu", () => huggingFaceClip],
  ["clip-open-clip", openAiClip],
  ["clip-resnet-running", openAiClip],
])("%s", async (fixture, tableOf) => {
  const { config, theirs } = await read(fixture)
  const [table, specs] = [tableOf(config), specsOf(config)]

  test("read and written again it is the same, bit for bit", () => {
    expect(toCheckpoint(table, fromCheckpoint(table, specs, theirs, fixture))).toEqual(theirs)
  })

  test("without any one of its tensors it is refused by the name of that tensor", () => {
    for (const name of Object.keys(theirs)) {
      const { [name]: _, ...rest } = theirs
      expect(() => fromCheckpoint(table, specs, rest, fixture)).toThrow(`${name}: missing`)
    }
  })

  test("with a tensor too many it is refused by the name of that tensor", () => {
    const more = { ...theirs, "visual.extra": float32([1], [1]) }
    expect(() => fromCheckpoint(table, specs, more, fixture)).toThrow(BadData)
    expect(() => fromCheckpoint(table, specs, more, fixture)).toThrow("visual.extra")
  })
})

describe("the state dict of a ResNet", async () => {
  const { config, theirs } = await read("clip-resnet-running")
  const { image, ...rest } = config
  const trains: ClipConfig = { ...rest, image: { ...image, norm: "batch" } as typeof image }

  test("gives a model that trains its weights, and leaves its running statistics out", () => {
    const [all, learnt] = [config, trains].map((each) =>
      fromCheckpoint(openAiClip(each), specsOf(each), theirs, "resnet"),
    )
    expect(Object.keys(learnt!).some((name) => /\.(mean|variance)$/.test(name))).toBe(false)
    for (const [name, value] of Object.entries(learnt!)) expect(value).toEqual(all![name])
    expect(Object.keys(all!)).toHaveLength(Object.keys(learnt!).length + 2 * (3 + 3 * 4 + 4))
  })

  test("may count batches and state OpenAI's three facts about the model, which are no weights", () => {
    const more = {
      ...theirs,
      "visual.bn1.num_batches_tracked": float32([], [7]),
      "visual.layer3.0.downsample.1.num_batches_tracked": float32([], [7]),
      input_resolution: float32([], [64]),
      context_length: float32([], [4]),
      vocab_size: float32([], [9]),
    }
    const found = fromCheckpoint(openAiClip(config), specsOf(config), more, "resnet")
    expect(found).toEqual(fromCheckpoint(openAiClip(config), specsOf(config), theirs, "resnet"))
  })
})
