/** The names of U-Nets and decoders elsewhere: each table is one to one, and the names are those of the state dicts. */
import { BadData, flatten, float32, type HostTensors, isParamSpec, type ParamSpec, type Tree } from "@millrace/core"
import {
  type DecoderConfig,
  decoderParams,
  diffusersUnclip,
  diffusersUnet,
  fromCheckpoint,
  glideDecoder,
  guidedDiffusionUnet,
  karloDecoder,
  type RenameTable,
  toCheckpoint,
  type UnetConfig,
  unetParams,
} from "@millrace/models"
import { describe, expect, test } from "vitest"

const small: UnetConfig = { size: 4, width: 4, multipliers: [1, 2], blocks: 1, attention: [2], headWidth: 2, groups: 2 }
const encoder = { vocab: 5, context: 3, width: 6, layers: 2, heads: 3 }
const unclip: DecoderConfig = {
  unet: { ...small, context: 6, output: 6 },
  text: { kind: "encoder", encoder },
  image: { width: 5 },
}
const karlo: DecoderConfig = { ...unclip, text: { kind: "clip" } }

/** Values of which each number is another. */
const numbered = (specs: Readonly<Record<string, ParamSpec>>): HostTensors => {
  let next = 0
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => [
      name,
      float32(
        shape,
        Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => next++),
      ),
    ]),
  )
}

const cases: ReadonlyArray<[string, RenameTable, Tree<ParamSpec>]> = [
  ["guided-diffusion's", guidedDiffusionUnet(small), unetParams(small)],
  ["guided-diffusion's new order of heads", guidedDiffusionUnet(small, "kinds"), unetParams(small)],
  [
    "guided-diffusion's without attention in the middle",
    guidedDiffusionUnet({ ...small, attention: [], middleAttention: false, resample: "convolution" }),
    unetParams({ ...small, attention: [], middleAttention: false, resample: "convolution" }),
  ],
  ["diffusers'", diffusersUnet(small), unetParams(small)],
  [
    "diffusers' with convolutions",
    diffusersUnet({ ...small, resample: "convolution" }),
    unetParams({ ...small, resample: "convolution" }),
  ],
  ["diffusers' unCLIP", diffusersUnclip(karlo), decoderParams(karlo)],
  ["GLIDE's", glideDecoder(unclip), decoderParams(unclip)],
  ["Karlo's", karloDecoder(karlo), decoderParams(karlo)],
]

describe.each(cases)("%s names", (_, table, specs) => {
  const flat = flatten<ParamSpec>(specs, isParamSpec)
  const values = numbered(flat)

  test("give back every value that was written under them", () => {
    expect(fromCheckpoint(table, flat, toCheckpoint(table, values), "here")).toEqual(values)
  })

  test("hold as many numbers, each once", () => {
    const theirs = Object.values(toCheckpoint(table, values)).flatMap(({ data }) => Array.from(data))
    const ours = Object.values(values).flatMap(({ data }) => Array.from(data))
    expect(theirs.sort((a, b) => a - b)).toEqual(ours.sort((a, b) => a - b))
  })
})

test("guided-diffusion's names are those of its modules", () => {
  const names = (config: UnetConfig) =>
    Object.keys(
      toCheckpoint(guidedDiffusionUnet(config), numbered(flatten<ParamSpec>(unetParams(config), isParamSpec))),
    )
      .filter((name) => name.endsWith("weight"))
      .map((name) => name.slice(0, -".weight".length))
      .sort()
  expect(names({ ...small, resample: "convolution" })).toMatchInlineSnapshot(`
    [
      "input_blocks.0.0",
      "input_blocks.1.0.emb_layers.1",
      "input_blocks.1.0.in_layers.0",
      "input_blocks.1.0.in_layers.2",
      "input_blocks.1.0.out_layers.0",
      "input_blocks.1.0.out_layers.3",
      "input_blocks.2.0.op",
      "input_blocks.3.0.emb_layers.1",
      "input_blocks.3.0.in_layers.0",
      "input_blocks.3.0.in_layers.2",
      "input_blocks.3.0.out_layers.0",
      "input_blocks.3.0.out_layers.3",
      "input_blocks.3.0.skip_connection",
      "input_blocks.3.1.norm",
      "input_blocks.3.1.proj_out",
      "input_blocks.3.1.qkv",
      "middle_block.0.emb_layers.1",
      "middle_block.0.in_layers.0",
      "middle_block.0.in_layers.2",
      "middle_block.0.out_layers.0",
      "middle_block.0.out_layers.3",
      "middle_block.1.norm",
      "middle_block.1.proj_out",
      "middle_block.1.qkv",
      "middle_block.2.emb_layers.1",
      "middle_block.2.in_layers.0",
      "middle_block.2.in_layers.2",
      "middle_block.2.out_layers.0",
      "middle_block.2.out_layers.3",
      "out.0",
      "out.2",
      "output_blocks.0.0.emb_layers.1",
      "output_blocks.0.0.in_layers.0",
      "output_blocks.0.0.in_layers.2",
      "output_blocks.0.0.out_layers.0",
      "output_blocks.0.0.out_layers.3",
      "output_blocks.0.0.skip_connection",
      "output_blocks.0.1.norm",
      "output_blocks.0.1.proj_out",
      "output_blocks.0.1.qkv",
      "output_blocks.1.0.emb_layers.1",
      "output_blocks.1.0.in_layers.0",
      "output_blocks.1.0.in_layers.2",
      "output_blocks.1.0.out_layers.0",
      "output_blocks.1.0.out_layers.3",
      "output_blocks.1.0.skip_connection",
      "output_blocks.1.1.norm",
      "output_blocks.1.1.proj_out",
      "output_blocks.1.1.qkv",
      "output_blocks.1.2.conv",
      "output_blocks.2.0.emb_layers.1",
      "output_blocks.2.0.in_layers.0",
      "output_blocks.2.0.in_layers.2",
      "output_blocks.2.0.out_layers.0",
      "output_blocks.2.0.out_layers.3",
      "output_blocks.2.0.skip_connection",
      "output_blocks.3.0.emb_layers.1",
      "output_blocks.3.0.in_layers.0",
      "output_blocks.3.0.in_layers.2",
      "output_blocks.3.0.out_layers.0",
      "output_blocks.3.0.out_layers.3",
      "output_blocks.3.0.skip_connection",
      "time_embed.0",
      "time_embed.2",
    ]
  `)
  // The residual blocks that double stand behind the attention, where there is one.
  expect(names(small)).toEqual(
    expect.arrayContaining(["output_blocks.1.2.in_layers.2", "input_blocks.2.0.in_layers.2"]),
  )
  expect(names({ ...small, attention: [] })).toEqual(expect.arrayContaining(["output_blocks.1.1.in_layers.2"]))
  expect(names({ ...small, attention: [], middleAttention: false })).not.toContain("middle_block.2.in_layers.2")
})

test("the two orders of heads differ, and agree where there is one head", () => {
  const checkpoint = (config: UnetConfig, order: "heads" | "kinds") =>
    toCheckpoint(guidedDiffusionUnet(config, order), numbered(flatten<ParamSpec>(unetParams(config), isParamSpec)))
  const one: UnetConfig = { ...small, multipliers: [1], size: 2, headWidth: 4 }
  expect(checkpoint(one, "heads")).toEqual(checkpoint(one, "kinds"))
  expect(checkpoint(small, "heads")).not.toEqual(checkpoint(small, "kinds"))
})

test("a checkpoint of another config is refused with every tensor that differs", () => {
  const flat = flatten<ParamSpec>(unetParams(small), isParamSpec)
  const theirs = toCheckpoint(guidedDiffusionUnet(small), numbered(flat))
  const wider: UnetConfig = { ...small, blocks: 2 }
  const load = () =>
    fromCheckpoint(guidedDiffusionUnet(wider), flatten<ParamSpec>(unetParams(wider), isParamSpec), theirs, "here")
  expect(load).toThrow(BadData)
  expect(load).toThrow(/input_blocks\.5\.0\.in_layers\.0\.weight: missing/)
})
