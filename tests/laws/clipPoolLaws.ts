import { type AttentionPoolParams, attentionPoolParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { FlatParams } from "../models/reference/gpt.js"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose } from "./close.js"
import { float, grid, real, rows, size } from "./examples.js"
import { type Law, law } from "./law.js"
import { referencePool } from "./reference/attentionPool.js"

/** Parameters, places [b y x c] and heads to [b j]. */
export type Pool = (p: AttentionPoolParams, x: tf.Tensor, heads: number) => tf.Tensor

const joint = 3
const boxed = <T extends object>(x: T) =>
  Object.fromEntries(Object.entries(x).map(([k, v]) => [k, fc.constant(v)])) as {
    [K in keyof T]: fc.Arbitrary<T[K]>
  }
const images = fc
  .record({ y: size(1, 3), x: size(1, 3), heads: size(1, 2), e: size(1, 3), seed: fc.nat(99) })
  .chain((s) => fc.record({ ...boxed(s), image: grid([s.y, s.x, s.heads * s.e], real(2)), by: fc.nat(8) }))
type Example = typeof images extends fc.Arbitrary<infer T> ? T : never

const channels = ({ heads, e }: Example): number => heads * e
const specsOf = (at: Example) => attentionPoolParams(at.y * at.x, channels(at), joint)

/** Random parameters, of which those that begin with a name are 0. */
const paramsOf = (at: Example, zero: ReadonlyArray<string> = []): FlatParams =>
  Object.fromEntries(
    Object.entries(testParams(specsOf(at), at.seed, 0.8)).map(([name, v]) => [
      name,
      zero.some((prefix) => name.startsWith(prefix)) ? v.map(() => 0) : v,
    ]),
  )

/** What CLIP's attention pooling obeys. */
export const attentionPoolLaws = (pool: Pool): ReadonlyArray<Law> => {
  const at = (example: Example, p: FlatParams, image: ReadonlyArray<number> = example.image): tf.Tensor =>
    pool(
      tensorsOf(specsOf(example), p) as AttentionPoolParams,
      float([1, example.y, example.x, channels(example)], image),
      example.heads,
    )
  const moved = (example: Example): Array<number> => {
    const places = rows(example.image, channels(example))
    return places.flatMap((_, i) => places[(i + example.by) % places.length]!)
  }
  return [
    law("without positions, the order of the places is irrelevant", images, (example) => {
      const p = paramsOf(example, ["position"])
      expectClose(at(example, p, moved(example)), at(example, p))
    }),
    law("an image of one colour gives that colour's projections, whatever queries and keys are", images, (example) => {
      const p = paramsOf(example, ["position"])
      const one = rows(example.image, channels(example))[0]!
      const image = Array.from({ length: example.y * example.x }, () => one).flat()
      const other = {
        ...p,
        "key.weight": p["key.weight"]!.map((v) => -2 * v),
        "query.bias": p["query.bias"]!.map(() => 1),
      }
      expectClose(at(example, p, image), referencePool(p, [one], example.heads))
      expectClose(at(example, other, image), at(example, p, image))
    }),
    law(
      "where keys say nothing, it is the mean of the projections of all places and of their mean",
      images,
      (example) => {
        const p = paramsOf(example, ["key"])
        const value = referencePool(p, rows(example.image, channels(example)), example.heads)
        expectClose(at(example, p), value)
      },
    ),
    law("the mean of the places alone asks: another place's query changes nothing", images, (example) => {
      // Turning the queries' weights changes all queries; with a mean of 0 at position 0, the first stays its bias.
      const c = channels(example)
      const places = rows(example.image, c)
      const mean = Array.from({ length: c }, (_, i) => places.reduce((sum, x) => sum + x[i]!, 0) / places.length)
      const centred = places.flatMap((x) => x.map((v, i) => v - mean[i]!))
      const p = paramsOf(example)
      const still = { ...p, position: p.position!.map((v, i) => (i < c ? 0 : v)) }
      const turned = { ...still, "query.weight": p["query.weight"]!.map((v, i) => v + Math.cos(i)) }
      expectClose(at(example, turned, centred), at(example, still, centred))
    }),
    law("it has the value of the float64 reference", images, (example) => {
      const p = paramsOf(example)
      expectClose(at(example, p), referencePool(p, rows(example.image, channels(example)), example.heads))
    }),
  ]
}

/** Halves the height and width of [b y x c]. */
export type Halve = (x: tf.Tensor) => tf.Tensor

const grids = fc
  .record({ y: size(1, 3), x: size(1, 3), c: size(1, 2) })
  .chain(({ y, x, c }) =>
    fc.record({ y: fc.constant(2 * y), x: fc.constant(2 * x), c: fc.constant(c), image: grid([2 * y, 2 * x, c]) }),
  )

/** What a stride of 2 obeys that does not alias. */
export const halveLaws = (halve: Halve): ReadonlyArray<Law> => [
  law("a constant stays as it is", fc.tuple(grids, real(9)), ([{ y, x, c }, v]) => {
    expectClose(halve(tf.fill([1, y, x, c], v)), tf.fill([1, y / 2, x / 2, c], v))
  }),
  law("a pattern as fine as two pixels vanishes", fc.tuple(grids, real(9)), ([{ y, x, c }, v]) => {
    const board = Array.from({ length: y * x * c }, (_, i) => {
      const place = Math.floor(i / c)
      return (place + Math.floor(place / x)) % 2 === 0 ? v : -v
    })
    expectClose(halve(float([1, y, x, c], board)), tf.zeros([1, y / 2, x / 2, c]))
  }),
  law("moving by two pixels moves what comes out by one", grids, ({ y, x, c, image }) => {
    const wide = tf.pad(float([1, y, x, c], image), [
      [0, 0],
      [2, 0],
      [2, 0],
      [0, 0],
    ])
    const all = tf.slice(halve(wide), [0, 1, 1, 0], [1, y / 2, x / 2, c])
    expectClose(all, halve(float([1, y, x, c], image)))
  }),
]
