import {
  adamW,
  BadConfig,
  BadLength,
  captureSync,
  flatten,
  float32,
  graph,
  type HostTensor,
  type HostTensors,
  initParams,
  int32,
  isParamSpec,
  keyFromSeed,
  mapTree,
  objectiveOf,
  type ParamSpec,
  type ParamsOf,
  random,
  spec,
  type Tensors,
  type Tree,
  tensor,
} from "@millrace/core"
import {
  type ClipConfig,
  type ClipTextParams,
  clip,
  clipParams,
  clipPixels,
  clipText,
  clipTextParams,
  clipTraining,
  loss,
  preprocess,
  type ResNetConfig,
  type ResNetParams,
  resNet,
  resNetParams,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { beforeAll, describe, expect, test } from "vitest"
import { distance, runner, stepper } from "../core/train/training.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const text = { vocab: 9, context: 5, width: 4, layers: 1, heads: 2 }
const vit: ClipConfig = {
  joint: 3,
  image: { kind: "vit", size: 4, patch: 2, width: 4, layers: 1, heads: 2 },
  text,
}
const trains: ResNetConfig = { kind: "resnet", size: 32, width: 2, stages: [1, 1, 1, 1] }

const start = (specs: Tree<ParamSpec>, seed = 1): HostTensors =>
  initParams(flatten<ParamSpec>(specs, isParamSpec), keyFromSeed(seed))
const asTensor = ({ data, shape, dtype }: HostTensor): tf.Tensor => tf.tensor(data, [...shape], dtype as "float32")
const tree = <S extends Tree<ParamSpec>>(specs: S, values: HostTensors): ParamsOf<S> =>
  mapTree<ParamSpec, tf.Tensor>(specs, isParamSpec, (name) => asTensor(values[name]!)) as ParamsOf<S>
const images = (b: number, size: number, seed = 2): HostTensor => random.normal(keyFromSeed(seed), [b, size, size, 3])
const texts = (...rows: ReadonlyArray<ReadonlyArray<number>>): HostTensor =>
  int32([rows.length, rows[0]!.length], rows.flat())
const apply = (of: ReturnType<typeof objectiveOf>, params: HostTensors, inputs: HostTensors) =>
  tf.tidy(() => {
    const all = (tensors: HostTensors): Tensors =>
      Object.fromEntries(Object.entries(tensors).map(([name, each]) => [name, asTensor(each)]))
    return Object.fromEntries(
      Object.entries(of.apply(all(params), all(inputs))).map(([name, x]) => [name, [...x.dataSync()]]),
    )
  })

const pixels = tensor("float32", "b y x c", "clip")
const tokens = tensor("int32", "b t", "token")

describe("the objective", () => {
  const objective = objectiveOf(clipTraining(vit))

  test("has the parameters of `clipParams`, under the same names", () => {
    expect(objective.paramSpecs).toEqual(flatten<ParamSpec>(clipParams(vit), isParamSpec))
  })

  test("equal features cost ln b", () => {
    const one = images(1, 4).data
    const same = { dtype: "float32", shape: [3, 4, 4, 3], data: Float32Array.from([...one, ...one, ...one]) } as const
    const row = [7, 3, 8, 0, 0]
    const { loss: found } = apply(objective, start(clipParams(vit)), { pixels: same, tokens: texts(row, row, row) })
    expect(found![0]).toBeCloseTo(Math.log(3), 5)
  })
})

describe("training", () => {
  const onnx = runner("onnx")
  const model: ClipConfig = {
    joint: 8,
    image: { kind: "vit", size: 4, patch: 2, width: 16, layers: 1, heads: 2 },
    text: { ...text, width: 16 },
  }
  const objective = objectiveOf(clipTraining(model))
  const steps = 15
  const config = {
    inputs: { pixels: spec("float32", [2, 4, 4, 3]), tokens: spec("int32", [2, 5]) },
    optimizer: { ...adamW, weightDecay: 0 },
    schedule: { kind: "constant", peak: 0.01, warmup: 0, floor: 1 },
    steps,
    clip: 1,
  } as const

  const captions = [
    [7, 1, 8, 0, 0],
    [7, 2, 3, 8, 0],
  ]

  test("two pairs are learnt", async () => {
    const batch = { pixels: images(2, 4), tokens: texts(...captions) }
    const left = await onnx(
      Effect.flatMap(stepper(objective, config), (run) =>
        run(
          start(clipParams(model)),
          Array.from({ length: steps }, () => batch),
        ),
      ),
    )
    expect(left[0]!.outputs.loss!.data[0]).toBeGreaterThan(0.1)
    expect(left.at(-1)!.outputs.loss!.data[0]).toBeLessThan(0.05)
  })

  test("the temperature rises to ln 100 and no further, keeps its gradient there, and comes down again", async () => {
    const features = tensor("float32", "b j", "unit-norm")
    const alone = objectiveOf(
      graph("temperature", { images: features, texts: features })
        .node("logScale", clip.logScale({}), {})
        .node("loss", loss.clip({}), { images: "images", texts: "texts", logScale: "logScale" })
        .output("loss"),
    )
    expect(alone.trainable).toEqual(["logScale"])
    // Two images 0.02 rad apart with their own texts: the larger the scale, the better. With each other's: the smaller.
    const near = float32([2, 2], [1, 0, Math.cos(0.02), Math.sin(0.02)])
    const far = float32([2, 2], [Math.cos(0.02), Math.sin(0.02), 1, 0])
    const [right, wrong] = [
      { images: near, texts: near },
      { images: near, texts: far },
    ]
    const inputs = { images: spec("float32", [2, 2]), texts: spec("float32", [2, 2]) }
    const left = await onnx(
      Effect.flatMap(stepper(alone, { ...config, inputs }), (run) =>
        run({ logScale: float32([], [Math.log(100) - 0.015]) }, [
          right,
          right,
          right,
          ...Array.from({ length: 4 }, () => wrong),
        ]),
      ),
    )
    const cap = Math.fround(Math.log(100))
    const scales = left.map(({ params }) => params.logScale!.data[0]!)
    expect(scales[0]).toBeCloseTo(Math.log(100) - 0.005, 4)
    expect(scales.slice(1, 3)).toEqual([cap, cap])
    const moments = left.map(({ optimizer }) => optimizer["first.logScale"]!.data[0]!)
    expect(moments[2]).toBeLessThan(moments[1]! - 1e-4)
    expect(scales.at(-1)).toBeLessThan(cap)
  })
})

describe("nodes", () => {
  const params = start(clipParams(vit))
  const under = (node: string, prefix: string): HostTensors =>
    Object.fromEntries(
      Object.entries(params).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[`${node}.${name.slice(prefix.length)}`, value]] : [],
      ),
    )
  const captions = [
    [7, 1, 8, 0, 0],
    [7, 2, 3, 8, 0],
    [7, 8, 0, 0, 0],
  ]
  const inputs = { pixels: images(3, 4), tokens: texts(...captions) }

  test("the score of an image with its own text is the diagonal of all similarities, each within −1 and 1", () => {
    const scored = graph("scored", { pixels, tokens, captions: tensor("int32", "k t", "token") })
      .node("score", clip.score(vit), { image: "pixels", tokens: "tokens" })
      .node("image", clip.image(vit), { image: "pixels" })
      .node("text", clip.text(vit), { tokens: "captions" }, { axes: { b: "k" } })
      .node("cosines", clip.similarity({}), { images: "image", texts: "text" })
      .output("score", "cosines")
    const all = { ...under("score", ""), ...under("image", "image."), ...under("text", "text.") }
    const { score, cosines } = apply(objectiveOf(scored), all, { ...inputs, captions: texts(...captions) })
    expect(cosines).toHaveLength(9)
    expect(Math.max(...cosines!.map(Math.abs))).toBeLessThanOrEqual(1 + 1e-6)
    expect(
      distance(
        score!,
        [0, 4, 8].map((i) => cosines![i]!),
      ),
    ).toBeLessThan(1e-5)
    expect(new Set(cosines!.map((c) => c.toFixed(4))).size).toBeGreaterThan(6)
  })

  test("a zero-shot classifier of one prompt a class ranks classes by their texts' similarity", () => {
    const classified = graph("classified", {
      pixels,
      captions: tensor("int32", "k t", "token"),
      prompts: tensor("int32", "k n t", "token"),
    })
      .node("image", clip.image(vit), { image: "pixels" })
      .node("text", clip.text(vit), { tokens: "captions" }, { axes: { b: "k" } })
      .node("classes", clip.classes(vit), { tokens: "prompts" })
      .node("cosines", clip.similarity({}), { images: "image", texts: "text" })
      .node("probabilities", clip.classify({ scale: 20 }), { images: "image", classes: "classes" })
      .output("cosines", "probabilities")
    const all = { ...under("image", "image."), ...under("text", "text."), ...under("classes", "text.") }
    const { cosines, probabilities } = apply(objectiveOf(classified), all, {
      pixels: inputs.pixels,
      captions: texts(...captions),
      prompts: { ...texts(...captions), shape: [3, 1, 5] },
    })
    for (const i of [0, 1, 2]) {
      const row = cosines!.slice(3 * i, 3 * i + 3).map((c) => Math.exp(20 * c))
      const total = row.reduce((a, x) => a + x, 0)
      expect(
        distance(
          probabilities!.slice(3 * i, 3 * i + 3),
          row.map((x) => x / total),
        ),
      ).toBeLessThan(1e-4)
    }
  })

  test("preprocessing takes the mean pixel to 0 and one standard deviation above it to 1", () => {
    const { mean, std } = clipPixels
    const made = preprocess(tf.tensor([mean, mean.map((m, i) => m + std[i]!)]))
    expect(distance([...made.dataSync()], [0, 0, 0, 1, 1, 1])).toBeLessThan(1e-6)
  })

  test("a text above the context is refused with both lengths", () => {
    const p = tree(clipTextParams(text, 3), start(clipTextParams(text, 3))) as ClipTextParams
    expect(() => clipText(text, p, tf.zeros([1, 6], "int32"))).toThrow(BadLength)
    expect(() => clipText(text, p, tf.zeros([1, 6], "int32"))).toThrow(/at most 5 tokens[\s\S]*6 tokens/)
  })

  test.each([
    ["patches that do not tile the image", { ...vit, image: { ...vit.image, patch: 3 } }, /multiple of patch 3/],
    ["heads that do not divide the width", { ...vit, text: { ...text, heads: 3 } }, /multiple of heads 3/],
    ["an image that 32 does not divide", { ...vit, image: { ...trains, size: 40 } }, /multiple of 32/],
    ["an odd width of a ResNet", { ...vit, image: { ...trains, width: 3 } }, /must be even/],
    ["three stages", { ...vit, image: { ...trains, stages: [1, 1, 1] } }, /stages/],
  ])("%s are refused", (_, config, message) => {
    expect(() => clip.image(config as ClipConfig)).toThrow(BadConfig)
    expect(() => clip.image(config as ClipConfig)).toThrow(message)
  })
})

describe("a modified ResNet", () => {
  test("has one convolution with a stride, the first; all other strides are averages", () => {
    const specs = resNetParams({ ...trains, size: 64, stages: [2, 1, 1, 1] }, 3)
    const flat = flatten<ParamSpec>(specs, isParamSpec)
    const program = captureSync({
      name: "resnet",
      state: {
        params: Object.fromEntries(Object.entries(flat).map(([name, { shape }]) => [name, spec("float32", shape)])),
      },
      inputs: { image: spec("float32", [1, 64, 64, 3]) },
      body: ({ params }, { image }) => ({
        outputs: {
          y: resNet(
            { ...trains, size: 64, stages: [2, 1, 1, 1] },
            mapTree<ParamSpec, tf.Tensor>(specs, isParamSpec, (name) => params![name]!) as ResNetParams,
            image!,
          ),
        },
      }),
    })
    const strides = program.equations.flatMap(({ op, attrs }) => (op === "Conv2D" ? [attrs.strides] : []))
    expect(strides.map((each) => JSON.stringify(each)).filter((each) => each.includes("2"))).toHaveLength(1)
    expect(JSON.stringify(strides[0])).toContain("2")
    // The stem, three stages, and their skips.
    expect(program.equations.filter(({ op }) => op === "AvgPool")).toHaveLength(1 + 3 + 3)
  })
})
