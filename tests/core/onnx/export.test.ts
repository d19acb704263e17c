import {
  BadConfig,
  BadData,
  exportOnnx,
  flatten,
  graph,
  type HostTensors,
  initParams,
  isParamSpec,
  keyFromSeed,
  mapTree,
  type ParamSpec,
  type Tree,
  tensor,
} from "@millrace/core"
import { clip, gpt, loss, reward } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { InferenceSession, Tensor } from "onnxruntime-node"
import { expect, test } from "vitest"
import { testParams } from "../../models/reference/params.js"

await tf.setBackend("cpu")

const config = { vocab: 11, context: 6, width: 8, layers: 2, heads: 2 }
const tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]

const valuesOf = (params: Tree<ParamSpec>): HostTensors => {
  const data = testParams(params)
  const values = initParams(flatten<ParamSpec>(params, isParamSpec), keyFromSeed(1))
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { ...value, data: Float32Array.from(data[name]!) }]),
  ) as HostTensors
}

const run = async (model: Uint8Array, inputs: Readonly<Record<string, Tensor>>) => {
  const session = await InferenceSession.create(model)
  const results = await session.run(inputs)
  return { names: [session.inputNames, session.outputNames], results }
}

const int32 = (shape: ReadonlyArray<number>, data: ReadonlyArray<number>) =>
  new Tensor("int32", Int32Array.from(data), shape)
const float32 = (shape: ReadonlyArray<number>, data: ReadonlyArray<number>) =>
  new Tensor("float32", Float32Array.from(data), shape)

test.each([true, false])("a node runs in ONNX Runtime as it does in tfjs, portable %s", async (portable) => {
  const node = gpt.logits(config)
  const values = valuesOf(node.params)
  const { names, results } = await run(exportOnnx(node, values, { b: 2, t: 5 }, { portable }), {
    tokens: int32([2, 5], tokens),
  })
  expect(names).toEqual([["tokens"], ["output"]])
  const params = mapTree(node.params, isParamSpec, (name) =>
    tf.tensor([...values[name]!.data], [...values[name]!.shape]),
  )
  const expected = node.apply(params, { tokens: tf.tensor(tokens, [2, 5], "int32") }) as tf.Tensor
  const found = results.output!.data as Float32Array
  const far = Array.from(expected.dataSync()).map((x, i) => Math.abs(found[i]! - x))
  expect(Math.max(...far)).toBeLessThan(1e-5)
})

test("a graph has its own names for inputs and outputs", async () => {
  const scored = graph("scored", { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask") })
    .node("logits", gpt.logits(config), { tokens: "tokens" })
    .node("score", reward.score(config), { tokens: "tokens", mask: "mask" })
    .node("loss", loss.sft({ normaliser: "token-mean" }), { logits: "logits", tokens: "tokens", mask: "mask" })
    .output({ score: "score", loss: "loss" })
  if (scored.level !== "tensor") throw new Error("a graph of tensor nodes")
  const { names, results } = await run(exportOnnx(scored, valuesOf(scored.params), { b: 2, t: 5 }), {
    tokens: int32([2, 5], tokens),
    mask: float32([2, 5], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1]),
  })
  expect(names).toEqual([
    ["tokens", "mask"],
    ["score", "loss"],
  ])
  expect(Object.values(results).map(({ dims }) => dims)).toEqual([[2], []])
})

test("a graph needs no size for an axis that a node inside of it fixes", async () => {
  const images = clip.image({
    joint: 3,
    image: { kind: "vit", size: 4, patch: 2, width: 4, layers: 1, heads: 1 },
    text: { vocab: 5, context: 3, width: 4, layers: 1, heads: 1 },
  })
  const seen = graph("seen", { image: images.in.image })
    .node("images", images, { image: "image" })
    .output({ images: "images" })
  if (seen.level !== "tensor") throw new Error("a graph of tensor nodes")
  const image = float32(
    [1, 4, 4, 3],
    Array.from({ length: 48 }, (_, i) => Math.sin(i)),
  )
  const { results } = await run(exportOnnx(seen, valuesOf(seen.params), { b: 1 }), { image })
  expect(results.images!.dims).toEqual([1, 3])
})

test("a size of no axis, and one that the config fixes otherwise, are refused", () => {
  const node = gpt.logits(config)
  expect(() => exportOnnx(node, valuesOf(node.params), { b: 1, t: 2, q: 3 })).toThrow("q = 3")
  const fixed = clip.preprocess({})
  expect(() => exportOnnx(fixed, {}, { b: 1, y: 2, x: 2, c: 4 })).toThrow("c = 4")
})

test("an axis without a size is named", () => {
  const node = gpt.logits(config)
  expect(() => exportOnnx(node, valuesOf(node.params), { b: 2 })).toThrow(BadConfig)
  expect(() => exportOnnx(node, valuesOf(node.params), { b: 2 })).toThrow("none for t")
})

test("every parameter that does not fit is named, and weights that no file can hold are refused before they are read", () => {
  const node = gpt.logits(config)
  const { token: _, ...rest } = valuesOf(node.params)
  const wrong = { ...rest, position: { ...rest.position!, shape: [3, 16] } } as HostTensors
  expect(() => exportOnnx(node, wrong, { b: 1, t: 1 })).toThrow(BadData)
  expect(() => exportOnnx(node, wrong, { b: 1, t: 1 })).toThrow(/token: missing\s+position: \[3, 16\], not \[6, 8\]/)
  const large = gpt.logits({ ...config, width: 8192, layers: 1, context: 65_536, vocab: 70_000 })
  expect(() => exportOnnx(large, {}, { b: 1, t: 1 })).toThrow("a file holds 2147483647")
})
