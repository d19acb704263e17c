import { BadConfig, BadData, float32, type HostTensors, type ParamSpec, zeros } from "@millrace/core"
import { fromCheckpoint, type RenameTable, rearrange, toCheckpoint } from "@millrace/models"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const size = fc.integer({ min: 1, max: 4 })
const counted = (shape: ReadonlyArray<number>, from = 0) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i),
  )

describe("rearrange", () => {
  test("moves the element at each place to the place that the pattern names", () => {
    fc.assert(
      fc.property(size, size, size, size, (o, i, y, x) => {
        const given = counted([o, i, y, x])
        const { shape, data } = rearrange(given, "o i y x -> y x i o")
        expect(shape).toEqual([y, x, i, o])
        for (let a = 0; a < o; a++)
          for (let b = 0; b < i; b++)
            for (let c = 0; c < y; c++)
              for (let d = 0; d < x; d++) {
                expect(data[((c * x + d) * i + b) * o + a]).toBe(given.data[((a * i + b) * y + c) * x + d])
              }
      }),
    )
  })

  test("parts and joins axes: heads that hold their own queries, keys and values become three of all heads", () => {
    fc.assert(
      fc.property(size, size, size, (h, e, i) => {
        const given = counted([h * 3 * e, i])
        const { shape, data } = rearrange(given, "(h p e) i -> i (p h e)", { h, p: 3 })
        expect(shape).toEqual([i, 3 * h * e])
        for (let a = 0; a < h; a++)
          for (let p = 0; p < 3; p++)
            for (let c = 0; c < e; c++)
              for (let d = 0; d < i; d++) {
                expect(data[d * 3 * h * e + (p * h + a) * e + c]).toBe(given.data[((a * 3 + p) * e + c) * i + d])
              }
      }),
    )
  })

  test("takes axes of size 1 away and puts them in", () => {
    expect(rearrange(counted([2, 3, 1, 1]), "o i 1 1 -> i o").shape).toEqual([3, 2])
    expect(rearrange(counted([3]), "d -> 1 1 d").shape).toEqual([1, 1, 3])
  })

  test("refuses a tensor of other axes, and a pattern whose sides differ", () => {
    expect(() => rearrange(counted([2, 3]), "a b c -> c b a")).toThrow(BadData)
    expect(() => rearrange(counted([2, 3, 2]), "a b 1 -> b a")).toThrow(BadData)
    expect(() => rearrange(counted([5]), "(a b) -> b a", { a: 2 })).toThrow(BadData)
    expect(() => rearrange(counted([2, 3]), "a b -> b")).toThrow(BadConfig)
  })
})

const table: RenameTable = {
  name: "another framework's blocks",
  renames: [
    { ours: "blocks.{i}.qkv", theirs: ["layer{i+1}.q", "layer{i+1}.k", "layer{i+1}.v"], axes: "o i -> i o" },
    { ours: "blocks.{i}.filter", theirs: "layer{i+1}.conv.weight", axes: "o i y x -> y x i o" },
    { ours: "bias", theirs: "out.bias" },
  ],
  ignored: ["layer{i+1}.steps"],
}
const specsOf = (layers: number, inputs: number, outputs: number): Readonly<Record<string, ParamSpec>> => ({
  ...Object.fromEntries(
    Array.from({ length: layers }, (_, i) => [
      [`blocks.${i}.qkv`, { shape: [inputs, 3 * outputs], init: zeros }],
      [`blocks.${i}.filter`, { shape: [3, 1, inputs, outputs], init: zeros }],
    ]).flat() as Array<[string, ParamSpec]>,
  ),
  bias: { shape: [outputs], init: zeros },
})
const valuesOf = (specs: Readonly<Record<string, ParamSpec>>): HostTensors =>
  Object.fromEntries(Object.entries(specs).map(([name, { shape }], i) => [name, counted(shape, 1000 * i)]))

describe("a rename table", () => {
  test("reads back what it wrote", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), size, size, (layers, inputs, outputs) => {
        const specs = specsOf(layers, inputs, outputs)
        const values = valuesOf(specs)
        expect(fromCheckpoint(table, specs, toCheckpoint(table, values), "file")).toEqual(values)
      }),
    )
  })

  test("writes parts that stand side by side in ours", () => {
    const written = toCheckpoint(table, { "blocks.0.qkv": float32([1, 3], [7, 8, 9]) })
    expect(Object.entries(written).map(([name, { shape, data }]) => [name, shape, [...data]])).toEqual([
      ["layer1.q", [1, 1], [7]],
      ["layer1.k", [1, 1], [8]],
      ["layer1.v", [1, 1], [9]],
    ])
  })

  test("leaves ignored tensors out, and takes no other for one", () => {
    const specs = specsOf(1, 2, 2)
    const written = toCheckpoint(table, valuesOf(specs))
    expect(fromCheckpoint(table, specs, { ...written, "layer1.steps": float32([], [3]) }, "file")).toEqual(
      valuesOf(specs),
    )
    expect(() => fromCheckpoint(table, specs, { ...written, "layer0.steps": float32([], [3]) }, "file")).toThrow(
      BadData,
    )
    expect(() => fromCheckpoint(table, specs, { ...written, layer1xsteps: float32([], [3]) }, "file")).toThrow(BadData)
  })

  test("compares a copy of a tied weight with it: the same is left out, another is refused with both names", () => {
    fc.assert(
      fc.property(size, size, fc.nat(), (rows, width, at) => {
        const tying: RenameTable = {
          name: "tied",
          renames: [
            { ours: "token", theirs: "embed.weight" },
            { ours: "unembedding", theirs: "head.weight" },
          ],
          tied: { "head.weight": "embed.weight" },
        }
        const token = { shape: [rows, width], init: zeros }
        const weight = counted([rows, width])
        const read = (head: ReturnType<typeof counted>, specs: Readonly<Record<string, ParamSpec>>) =>
          fromCheckpoint(tying, specs, { "embed.weight": weight, "head.weight": head }, "file")
        expect(read(counted([rows, width]), { token })).toEqual({ token: weight })
        const other = counted([rows, width])
        other.data[at % other.data.length]! += 0.5
        expect(() => read(other, { token })).toThrow(
          /head\.weight to be embed\.weight again[\s\S]*head\.weight with other/,
        )
        expect(() => read(counted([rows + 1, width]), { token })).toThrow(BadData)
        // A model that does not tie them takes both as they are.
        expect(read(other, { token, unembedding: token })).toEqual({ token: weight, unembedding: other })
      }),
    )
  })

  test("reports every tensor that does not fit, each with what was expected", () => {
    const specs = { ...specsOf(2, 2, 2), stray: { shape: [1], init: zeros } }
    const { "layer1.k": _, ...written } = toCheckpoint(table, valuesOf(specsOf(2, 2, 2)))
    const damaged: HostTensors = {
      ...written,
      "out.bias": float32([3], [1, 2, 3]),
      "layer2.conv.weight": float32([4], [1, 2, 3, 4]),
      extra: float32([], [0]),
    }
    const refusal = (): BadData => {
      try {
        fromCheckpoint(table, specs, damaged, "file")
      } catch (error) {
        return error as BadData
      }
      throw new Error("accepted")
    }
    const { expected, received } = refusal()
    expect(expected.split("\n").map((line, i) => [line, received.split("\n")[i]])).toEqual([
      ["layer1.k: float32", "layer1.k: missing"],
      ["layer2.conv.weight: [3, 1, 2, 2] as blocks.1.filter", "[4]"],
      ["out.bias: [2] as bias", "[3]"],
      ["a name for stray", 'none in the table "another framework\'s blocks"'],
      ["nothing named extra", "extra: float32 []"],
    ])
  })
})
