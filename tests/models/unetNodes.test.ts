/** U-Nets, decoders, upsamplers and corruptions as nodes: wired into graphs, and the same on two engines. */
import "@tensorflow/tfjs-backend-cpu"
import {
  Engine,
  Engines,
  float32,
  forward,
  graph,
  type HostTensor,
  type HostTensors,
  int32,
  keyFromSeed,
  objectiveOf,
  random,
  spec,
  split,
  tensor,
} from "@millrace/core"
import {
  corruption,
  type DecoderConfig,
  decoder,
  drawDegradation,
  textEncoder,
  type UnetConfig,
  unet,
  upsampler,
} from "@millrace/models"
import { Effect, ManagedRuntime } from "effect"
import { afterAll, describe, expect, test } from "vitest"
import { testParams } from "./reference/params.js"

const small: UnetConfig = { size: 8, width: 4, multipliers: [1, 2], blocks: 1, attention: [4], headWidth: 2, groups: 2 }
const encoder = { vocab: 7, context: 3, width: 6, layers: 1, heads: 2 }
const text: DecoderConfig = { unet: { ...small, context: 6, output: 6 }, text: { kind: "encoder", encoder } }
const unclip: DecoderConfig = { ...text, image: { width: 5 } }
const karlo: DecoderConfig = { ...unclip, text: { kind: "clip" } }

const normal = (name: string, shape: ReadonlyArray<number>): HostTensor =>
  random.normal(split(keyFromSeed(1), name), shape)
const b = 2
const image = normal("image", [b, 8, 4, 3])
const time = int32([b], [3, 700])
const tokens = int32([b, 3], [1, 2, 3, 4, 5, 6])
const mask = float32([b, 3], [1, 1, 0, 1, 1, 1])
const keep = float32([b], [1, 0])
const embedding = normal("embedding", [b, 5])

const noisyPort = tensor("float32", "b y x c", "noisy")
const timePort = tensor("int32", "b", "step")
const tokensPort = tensor("int32", "b t", "token")
const maskPort = tensor("float32", "b t", "mask")
const keepPort = tensor("float32", "b", "mask")
const embeddingPort = tensor("float32", "b d", "embedding")
const pixels = tensor("float32", "b y x c", "[-1,1]")

const draws = drawDegradation(keyFromSeed(5), [b, 8, 16, 3])
const pictures = float32(
  [b, 8, 16, 3],
  normal("pictures", [b, 8, 16, 3]).data.map((v) => Math.tanh(v)),
)

/** Each node in a graph of its own, and what it is given. */
const cases = {
  "unet.noise": {
    graph: graph("noise", { image: noisyPort, time: timePort })
      .node("unet", unet.noise(small), { image: "image", time: "time" })
      .output({ noise: "unet" }),
    inputs: { image, time },
    shapes: { noise: [b, 8, 4, 3] },
  },
  "unet.noiseAndVariance": {
    graph: graph("both", { image: noisyPort, time: timePort })
      .node("unet", unet.noiseAndVariance({ ...small, output: 6, resample: "convolution" }), {
        image: "image",
        time: "time",
      })
      .output({ noise: "unet.noise", variance: "unet.variance" }),
    inputs: { image, time },
    shapes: { noise: [b, 8, 4, 3], variance: [b, 8, 4, 3] },
  },
  "textEncoder.encode": {
    graph: graph("encode", { tokens: tokensPort, mask: maskPort })
      .node("text", textEncoder.encode(encoder), { tokens: "tokens", mask: "mask" })
      .output({ sequence: "text.sequence", pooled: "text.pooled" }),
    inputs: { tokens, mask },
    shapes: { sequence: [b, 3, 6], pooled: [b, 6] },
  },
  "decoder.predict": {
    graph: graph("unclip", {
      image: noisyPort,
      time: timePort,
      tokens: tokensPort,
      mask: maskPort,
      keepCaption: keepPort,
      embedding: embeddingPort,
      keepEmbedding: keepPort,
    })
      .node("decoder", decoder.predict(unclip), {
        image: "image",
        time: "time",
        tokens: "tokens",
        mask: "mask",
        keepCaption: "keepCaption",
        embedding: "embedding",
        keepEmbedding: "keepEmbedding",
      })
      .output({ noise: "decoder.noise", variance: "decoder.variance" }),
    inputs: { image, time, tokens, mask, keepCaption: keep, embedding, keepEmbedding: keep },
    shapes: { noise: [b, 8, 4, 3], variance: [b, 8, 4, 3] },
  },
  "decoder.predictFromText": {
    graph: graph("glide", {
      image: noisyPort,
      time: timePort,
      tokens: tokensPort,
      mask: maskPort,
      keepCaption: keepPort,
    })
      .node("decoder", decoder.predictFromText(text), {
        image: "image",
        time: "time",
        tokens: "tokens",
        mask: "mask",
        keepCaption: "keepCaption",
      })
      .output({ noise: "decoder.noise", variance: "decoder.variance" }),
    inputs: { image, time, tokens, mask, keepCaption: keep },
    shapes: { noise: [b, 8, 4, 3], variance: [b, 8, 4, 3] },
  },
  "decoder.predictFromClip": {
    graph: graph("karlo", {
      image: noisyPort,
      time: timePort,
      sequence: tensor("float32", "b t d", "feature"),
      mask: maskPort,
      pooled: embeddingPort,
      embedding: embeddingPort,
      keepEmbedding: keepPort,
    })
      .node("decoder", decoder.predictFromClip(karlo), {
        image: "image",
        time: "time",
        sequence: "sequence",
        mask: "mask",
        pooled: "pooled",
        embedding: "embedding",
        keepEmbedding: "keepEmbedding",
      })
      .output({ noise: "decoder.noise", variance: "decoder.variance" }),
    inputs: {
      image,
      time,
      sequence: normal("sequence", [b, 3, 5]),
      mask,
      pooled: normal("pooled", [b, 5]),
      embedding,
      keepEmbedding: keep,
    },
    shapes: { noise: [b, 8, 4, 3], variance: [b, 8, 4, 3] },
  },
  "upsampler.predict": {
    graph: graph("upsampler", { image: noisyPort, small: tensor("float32", "b r q c", "[-1,1]"), time: timePort })
      .node(
        "upsampler",
        upsampler.predict({ unet: { ...small, attention: [], middleAttention: false, input: 6, output: 6 } }),
        { image: "image", small: "small", time: "time" },
      )
      .output({ noise: "upsampler.noise", variance: "upsampler.variance" }),
    inputs: { image, small: normal("small", [b, 2, 1, 3]), time },
    shapes: { noise: [b, 8, 4, 3], variance: [b, 8, 4, 3] },
  },
  "corruption.blur": {
    graph: graph("blur", { image: pixels })
      .node("blur", corruption.blur({ taps: 3, sigma: 0.6 }), { image: "image" })
      .output({ image: "blur" }),
    inputs: { image: pictures },
    shapes: { image: [b, 8, 16, 3] },
  },
  "corruption.resize": {
    graph: graph("resize", { image: tensor("float32", "b r q c", "[-1,1]") })
      .node("resize", corruption.resize({ rows: 6, columns: 40, resampling: "bicubic" }), { image: "image" })
      .output({ image: "resize" }),
    inputs: { image: pictures },
    shapes: { image: [b, 6, 40, 3] },
  },
  "corruption.degrade": {
    graph: graph("degrade", {
      image: tensor("float32", "b y x 3", "[-1,1]"),
      order: tensor("int32", "b 4", "operation"),
      rows: tensor("float32", "b k", "weight"),
      columns: tensor("float32", "b k", "weight"),
      resampling: tensor("int32", "b", "resampling"),
      level: tensor("float32", "b", "[-1,1]"),
      noise: tensor("float32", "b y x 3", "noise"),
      quality: tensor("float32", "b", "quality"),
    })
      .node("degrade", corruption.degrade({}), {
        image: "image",
        order: "order",
        rows: "rows",
        columns: "columns",
        resampling: "resampling",
        level: "level",
        noise: "noise",
        quality: "quality",
      })
      .output({ image: "degrade" }),
    inputs: { image: pictures, ...draws },
    shapes: { image: [b, 8, 16, 3] },
  },
} as const

const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 2 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))

/** What a graph gives on an engine, with parameters none of which is 0. */
const runOn = (engine: string, name: keyof typeof cases): Promise<HostTensors> => {
  const each = cases[name]
  const objective = objectiveOf(each.graph)
  const flat = testParams(objective.paramSpecs)
  const params = Object.fromEntries(
    Object.entries(objective.paramSpecs).map(([path, { shape }]) => [path, float32(shape, flat[path]!)]),
  )
  const types = Object.fromEntries(
    Object.entries<HostTensor>(each.inputs).map(([port, { dtype, shape }]) => [port, spec(dtype, shape)]),
  )
  return runtimes.get(engine)!.runPromise(
    Effect.gen(function* () {
      const here = yield* Engine
      const { run } = yield* here.compile(forward(objective, types))
      return yield* run({ state: { params: yield* here.allocate(params) }, inputs: each.inputs })
    }).pipe(Effect.scoped),
  )
}

describe.each(Object.keys(cases) as Array<keyof typeof cases>)("%s", (name) => {
  test("gives the same on onnx as in plain tfjs, in the shapes of its ports", async () => {
    const [plain, fast] = await Promise.all([runOn("tfjs:cpu", name), runOn("onnx", name)])
    expect(Object.fromEntries(Object.entries(fast).map(([port, { shape }]) => [port, shape]))).toEqual(
      cases[name].shapes,
    )
    for (const [port, { data }] of Object.entries(plain)) {
      const wanted = Array.from(data)
      const top = Math.max(...wanted.map(Math.abs))
      expect(top).toBeGreaterThan(0)
      const worst = Math.max(...wanted.map((v, i) => Math.abs(v - fast[port]!.data[i]!)))
      expect(worst / top, port).toBeLessThan(1e-4)
    }
  })
})

test.each([
  ["text that is not its encoder's", () => decoder.predict(karlo), /text must be of kind encoder/],
  ["an embedding that it does not take", () => decoder.predictFromText(unclip), /image must be left out/],
  ["no embedding", () => decoder.predict(text), /image must be given/],
  [
    "an encoder of another width than its context",
    () => decoder.predict({ ...unclip, unet: { ...unclip.unet, context: 4 } }),
    /unet.context 4 must be text.encoder.width 6/,
  ],
  [
    "one image's channels for two",
    () => upsampler.predict({ unet: { ...small, input: 3, output: 3 } }),
    /twice the channels of an image/,
  ],
])("a config with %s is refused", (_, make, message) => {
  expect(make).toThrow(message)
})
