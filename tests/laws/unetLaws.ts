import type { UnetConditions, UnetConfig, unetParams, unetPredict } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { bool, float, grid, ids, size } from "./examples.js"
import { type Law, law } from "./law.js"
import { initial } from "./residualLaws.js"

/** A U-Net under test: its parameters and what it predicts. */
export interface UnetUnit {
  readonly params: typeof unetParams
  readonly predict: typeof unetPredict
}

type Params = Parameters<UnetUnit["predict"]>[1]

/** A config of some levels, blocks and places of attention, at the least size that its levels halve. */
const configs: fc.Arbitrary<UnetConfig> = fc
  .record({
    multipliers: fc.array(size(1, 2), { minLength: 1, maxLength: 3 }),
    blocks: size(1, 2),
    attends: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    middleAttention: fc.boolean(),
    resample: fc.constantFrom("residual" as const, "convolution" as const),
    modulation: fc.constantFrom("scale-shift" as const, "add" as const),
    groups: size(1, 2),
    input: size(1, 3),
    output: size(1, 3),
    context: fc.constantFrom(undefined, 3),
  })
  .map(({ attends, context, ...rest }) => {
    const side = 2 ** (rest.multipliers.length - 1)
    return {
      ...rest,
      size: side,
      width: 2,
      headWidth: 2,
      attention: rest.multipliers.flatMap((_, i) => (attends[i] ? [side / 2 ** i] : [])),
      ...(context === undefined ? {} : { context }),
    }
  })

/** A U-Net, two images of it, which need not be square, and their times. */
const examples = configs.chain((config) =>
  fc.record({
    config: fc.constant(config),
    seed: size(0, 99),
    image: grid([2, config.size, 2 * config.size, config.input ?? 3]),
    times: fc.tuple(size(0, 999), size(0, 999)),
    context: grid([2, 3, 3]),
  }),
)
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

const imageOf = ({ config, image }: Example): tf.Tensor =>
  float([2, config.size, 2 * config.size, config.input ?? 3], image)
const timesOf = ({ times }: Example): tf.Tensor => ids([2], times)
const tokensOf = ({ context }: Example): tf.Tensor => float([2, 3, 3], context)

/** The same with norms over all channels: one over a single channel would hide what is added to it. */
const open = (example: Example): Example => ({ ...example, config: { ...example.config, groups: 1 } })

/** What every U-Net obeys. @source Dhariwal and Nichol 2021, section 3; Nichol et al. 2021, section 4.1 */
export const unetLaws = ({ params, predict }: UnetUnit): ReadonlyArray<Law> => {
  const some = ({ config, seed }: Example): Params => {
    const specs = params(config)
    return tensorsOf(specs, testParams(specs, seed)) as Params
  }
  const told = (example: Example, tokens = tokensOf(example), seen?: tf.Tensor): UnetConditions =>
    example.config.context === undefined ? {} : { context: { tokens, ...(seen === undefined ? {} : { seen }) } }
  const at = (example: Example, conditions = told(example)): tf.Tensor =>
    predict(example.config, some(example), imageOf(example), timesOf(example), conditions)

  return [
    law("before training it predicts 0", examples, (example) => {
      const p = initial(params(example.config), example.seed) as Params
      const predicted = predict(example.config, p, imageOf(example), timesOf(example), told(example))
      expectSame(predicted, new Array(predicted.size).fill(0))
    }),
    law("its channels close at any levels and blocks, and sides stay those of the image", examples, (example) => {
      const { config } = example
      const [rows, columns] = [config.size, 2 * config.size]
      const { shape } = at(example)
      expectThat(shape.join() === [2, rows, columns, config.output].join(), () => `[${shape.join(", ")}]`)
    }),
    law("the prediction for an image depends on no other image, time or context", examples, (example) => {
      const image = tf.slice(imageOf(example), [0, 0, 0, 0], [1, ...imageOf(example).shape.slice(1)])
      const tokens = tf.slice(tokensOf(example), [0, 0, 0], [1, 3, 3])
      const one = predict(
        example.config,
        some(example),
        image,
        tf.slice(timesOf(example), [0], [1]),
        told(example, tokens),
      )
      expectClose(values(at(example)).slice(0, one.size), one, { absolute: 1e-4 })
    }),
    law("every weight of it is used", examples.map(open), (example) => {
      const p = some(example)
      const flat = leaves(p)
      const slopes = tf.grads((...x) => {
        const moved = replaced(p, x)
        return tf.sum(tf.square(predict(example.config, moved, imageOf(example), timesOf(example), told(example))))
      })(flat)
      const idle = slopes.filter((slope) => slope.rank > 1 && values(slope).every((v) => v === 0))
      expectThat(idle.length === 0, () => `${idle.length} of ${flat.length} have no slope`)
    }),
    law("another time gives another prediction", examples.map(open), (example) => {
      const later = predict(
        example.config,
        some(example),
        imageOf(example),
        tf.add(timesOf(example), tf.scalar(1, "int32")),
        told(example),
      )
      const now = values(at(example))
      expectThat(
        values(later).some((v, i) => v !== now[i]),
        () => "the prediction stayed",
      )
    }),
    law("the order of the context's tokens changes nothing", examples, (example) => {
      expectClose(at(example, told(example, tf.reverse(tokensOf(example), 1))), at(example), { absolute: 1e-4 })
    }),
    law("a token that is not seen changes nothing", examples, (example) => {
      const seen = bool([2, 3], [1, 0, 1, 1, 0, 1])
      const other = tf.add(tokensOf(example), float([1, 3, 1], [0, 7, 0]))
      expectClose(at(example, told(example, other, seen)), at(example, told(example, tokensOf(example), seen)))
    }),
    law("what is added to the embedding of time acts on the prediction", examples.map(open), (example) => {
      const embedding = float(
        [2, 8],
        Array.from({ length: 16 }, (_, i) => i - 8),
      )
      const moved = at(example, { ...told(example), embedding })
      const plain = values(at(example))
      expectThat(
        values(moved).some((v, i) => v !== plain[i]),
        () => "the prediction stayed",
      )
    }),
  ]
}

/** The tensors of a tree in order, and the same tree with others in their places. */
const leaves = (tree: unknown): Array<tf.Tensor> =>
  tree instanceof tf.Tensor
    ? [tree]
    : typeof tree === "object" && tree !== null
      ? Object.values(tree).flatMap(leaves)
      : []

const replaced = <T>(tree: T, by: ReadonlyArray<tf.Tensor>): T => {
  const left = [...by]
  const walk = (node: unknown): unknown => {
    if (node instanceof tf.Tensor) return left.shift()
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== "object" || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([name, each]) => [name, walk(each)]))
  }
  return walk(tree) as T
}
