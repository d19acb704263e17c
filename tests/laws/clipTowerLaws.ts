import { flatten, initParams, isParamSpec, keyFromSeed, mapTree, type ParamSpec, type Tree } from "@millrace/core"
import {
  type ClipTextConfig,
  type ClipTextParams,
  clipTextParams,
  type ResNetConfig,
  type ResNetParams,
  resNetTrunk,
  type VitConfig,
  type VitParams,
  vitParams,
} from "@millrace/models"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { expectClose, expectSame, expectThat, values } from "./close.js"
import { float, grid, ids, real, rows, size, strict } from "./examples.js"
import { type Law, law } from "./law.js"

const joint = 3

// --- vision transformer

/** Parameters and image [b y x c] to [b j]. */
export type Vit = (config: VitConfig, p: VitParams, image: tf.Tensor) => tf.Tensor

const vitConfig: VitConfig = { kind: "vit", size: 6, patch: 2, width: 6, layers: 2, heads: 2 }
const patchesOf = (image: ReadonlyArray<number>): Array<Array<number>> => {
  const pixels = rows(image, 3)
  return Array.from({ length: 9 }, (_, n) =>
    [0, 1, 6, 7].flatMap((at) => pixels[(Math.floor(n / 3) * 2 + Math.floor(at / 6)) * 6 + (n % 3) * 2 + (at % 6)]!),
  )
}
const imageOf = (patches: ReadonlyArray<ReadonlyArray<number>>): Array<number> =>
  Array.from({ length: 36 }, (_, i) => {
    const [y, x] = [Math.floor(i / 6), i % 6]
    const patch = rows(patches[Math.floor(y / 2) * 3 + Math.floor(x / 2)]!, 3)
    return patch[(y % 2) * 2 + (x % 2)]!
  }).flat()

/** What a vision transformer that is read at a class token obeys. */
export const vitLaws = (vit: Vit): ReadonlyArray<Law> => {
  const specs = vitParams(vitConfig, joint)
  const at = (image: ReadonlyArray<number>, seed: number, positions = 1): tf.Tensor => {
    const p = testParams(specs, seed)
    const moved = { ...p, position: p.position!.map((v) => v * positions) }
    return vit(vitConfig, tensorsOf(specs, moved) as VitParams, float([1, 6, 6, 3], image))
  }
  const examples = fc.record({ image: grid([6, 6, 3], real(2)), seed: fc.nat(50), order: strict(9) })
  return [
    law("without positions, the order of the patches is irrelevant", examples, ({ image, seed, order }) => {
      const patches = patchesOf(image)
      const moved = order.map((i) => patches[i]!)
      expectClose(at(imageOf(moved), seed, 0), at(image, seed, 0))
    }),
    law("every patch has a say", fc.tuple(examples, fc.nat(8)), ([{ image, seed }, which]) => {
      // Rounding may swallow one change, as layer norm does where all of an embedding moves alike; not each of the three.
      const changes = [
        (v: number) => -v - 1,
        (v: number, i: number) => v + (-1) ** i,
        (v: number, i: number) => v + i / 4,
      ]
      const before = values(at(image, seed))
      const moves = changes.map((change) => {
        const other = imageOf(patchesOf(image).map((patch, i) => (i === which ? patch.map(change) : patch)))
        return Math.max(...values(at(other, seed)).map((v, i) => Math.abs(v - before[i]!)))
      })
      expectThat(Math.max(...moves) > 1e-6, () => `patch ${which} changed nothing`)
    }),
    law("where the patches are tells images apart", examples, ({ image, seed }) => {
      const patches = patchesOf(image.map((v, i) => v + Math.sin(i)))
      const [before, after] = [patches, patches.toReversed()].map((each) => values(at(imageOf(each), seed)))
      expectThat(
        before!.some((v, i) => Math.abs(v - after![i]!) > 1e-6),
        () => "patches in reverse gave the same feature",
      )
    }),
  ]
}

// --- text tower

/** Parameters and tokens [b t] to [b j]. */
export type TextTower = (config: ClipTextConfig, p: ClipTextParams, tokens: tf.Tensor) => tf.Tensor

const textConfig: ClipTextConfig = { vocab: 9, context: 7, width: 6, layers: 2, heads: 2 }
const end = textConfig.vocab - 1
const texts = fc.record({
  words: fc.array(fc.nat(end - 1), { minLength: 1, maxLength: 5 }),
  after: grid([7], fc.nat(end)),
  seed: fc.nat(50),
})

/** What a text tower that is read at the end of text obeys. */
export const clipTextLaws = (text: TextTower): ReadonlyArray<Law> => {
  const specs = clipTextParams(textConfig, joint)
  const at = (tokens: ReadonlyArray<ReadonlyArray<number>>, seed: number): tf.Tensor =>
    text(
      textConfig,
      tensorsOf(specs, testParams(specs, seed)) as ClipTextParams,
      ids([tokens.length, tokens[0]!.length], tokens.flat()),
    )
  const padded = (words: ReadonlyArray<number>, after: ReadonlyArray<number>): Array<number> =>
    [...words, end, ...after].slice(0, textConfig.context)
  return [
    law("tokens after the end of text change nothing, bit for bit", texts, ({ words, after, seed }) => {
      expectSame(at([padded(words, after)], seed), at([padded(words, [0, 0, 0, 0, 0, 0, 0])], seed))
    }),
    law("a text that is cut after its end has the same feature", texts, ({ words, after, seed }) => {
      expectClose(at([[...words, end]], seed), at([padded(words, after)], seed))
    }),
    law("every token has a say", fc.tuple(texts, fc.nat(9), size(1, 7)), ([{ words, seed }, which, by]) => {
      const other = words.map((id, i) => (i === which % words.length ? (id + by) % end : id))
      const [before, after] = [words, other].map((each) => values(at([padded(each, [0, 0, 0, 0, 0, 0, 0])], seed)))
      expectThat(
        before!.some((v, i) => Math.abs(v - after![i]!) > 1e-6),
        () => `token ${which % words.length} changed nothing`,
      )
    }),
    law("texts of a batch are read each at its own end", fc.tuple(texts, texts), ([a, b]) => {
      const both = [padded(a.words, a.after), padded(b.words, b.after)]
      const alone = both.flatMap((each) => values(at([each], a.seed)))
      expectClose(at(both, a.seed), alone)
    }),
  ]
}

// --- the start of a ResNet

/** How a modified ResNet's parameters start. */
export type ResNetStart = (config: ResNetConfig, joint: number) => Tree<ParamSpec>

const resNetConfig: ResNetConfig = { kind: "resnet", size: 32, width: 2, stages: [1, 2, 1, 1] }

/** What a ResNet obeys before its first step, whose blocks end in a batch norm of gain 0. */
export const resNetStartLaws = (start: ResNetStart): ReadonlyArray<Law> => {
  const specs = start(resNetConfig, joint)
  const at = (image: ReadonlyArray<number>, seed: number, other: RegExp): tf.Tensor => {
    const mine = initParams(flatten<ParamSpec>(specs, isParamSpec), keyFromSeed(seed))
    const p = mapTree<ParamSpec, tf.Tensor>(specs, isParamSpec, (name, { shape }) => {
      const { data } = mine[name]!
      return float(shape, other.test(name) ? Array.from(data, (v, i) => v + Math.sin(i)) : Array.from(data))
    })
    return resNetTrunk(p as ResNetParams, float([2, 32, 32, 3], image))
  }
  const examples = fc.tuple(
    fc.nat(99).map((n) => Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => Math.sin(12.9898 * i + n))),
    fc.nat(99),
  )
  const nothing = /^$/
  return [
    law("every block is its skip alone: its convolutions change nothing", examples, ([image, seed]) => {
      const inner = /^stages\..*\.(conv[123]|norm[12])\./
      expectClose(at(image, seed, inner), at(image, seed, nothing))
    }),
    law("the skips change what comes out", examples, ([image, seed]) => {
      const [before, after] = [nothing, /skip\.conv/].map((other) => values(at(image, seed, other)))
      expectThat(
        before!.some((v, i) => Math.abs(v - after![i]!) > 1e-4),
        () => "other skips gave the same",
      )
    }),
  ]
}
