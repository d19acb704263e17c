import {
  expectClose,
  expectGradient,
  expectThat,
  float,
  gradient,
  grid,
  type Law,
  law,
  real,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { dot, matchingGradient, matchingReference, scaledCosines } from "./reference/contrastive.js"

/** A loss over square logits: entry i of row i is right. */
export type MatchingLossOf = (logits: tf.Tensor) => tf.Scalar

const squares = (min = 1, limit = 8) =>
  size(min, 6).chain((b) => fc.record({ b: fc.constant(b), logits: grid([b, b], real(limit)) }))

const transposed = (flat: ReadonlyArray<number>, b: number): Array<number> =>
  flat.map((_, i) => flat[(i % b) * b + Math.floor(i / b)]!)

/** A permutation of 0 … b − 1 from a number. */
const turned = (b: number, by: number): ReadonlyArray<number> =>
  Array.from({ length: b }, (_, i) => (by % 2 === 0 ? (i + by) % b : (b - 1 - i + by) % b))

/**
 * What a symmetric contrastive loss obeys, as a function of its logits.
 * @source Radford et al. 2021, figure 3
 */
export const matchingLaws = (loss: MatchingLossOf): ReadonlyArray<Law> => {
  const at = (flat: ReadonlyArray<number>, b: number): number => values(loss(float([b, b], flat)))[0]!
  const slope = (flat: ReadonlyArray<number>, b: number) => values(gradient((s) => loss(s!), [float([b, b], flat)])[0]!)
  return [
    law("transposing the logits changes nothing", squares(), ({ b, logits }) => {
      expectClose(at(transposed(logits, b), b), at(logits, b))
    }),
    law(
      "one permutation of rows and columns changes nothing",
      fc.tuple(squares(), fc.nat(9)),
      ([{ b, logits }, by]) => {
        const order = turned(b, by)
        const moved = order.flatMap((i) => order.map((j) => logits[i * b + j]!))
        expectClose(at(moved, b), at(logits, b))
      },
    ),
    law("a constant added to all logits changes nothing", fc.tuple(squares(), real(50)), ([{ b, logits }, c]) => {
      expectClose(
        at(
          logits.map((s) => s + c),
          b,
        ),
        at(logits, b),
      )
    }),
    law("a constant added to one row alone changes the loss", squares(2), ({ b, logits }) => {
      // It is strictly convex in the constant, so that at most two of three values are equal.
      const shifted = [1, 2].map((c) =>
        at(
          logits.map((s, i) => (i < b ? s + c : s)),
          b,
        ),
      )
      const before = at(logits, b)
      expectThat(
        shifted.some((after) => Math.abs(after - before) > 1e-7),
        () => `${before} stayed ${shifted.join(" and ")}`,
      )
    }),
    law("equal logits cost ln b", fc.tuple(size(1, 9), real(9)), ([b, s]) => {
      expectClose(
        at(
          Array.from({ length: b * b }, () => s),
          b,
        ),
        Math.log(b),
      )
    }),
    law("a single pair costs nothing and has no gradient", real(30), (s) => {
      expectClose([at([s], 1), ...slope([s], 1)], [0, 0], { absolute: 1e-6 })
    }),
    law("it is never below 0", squares(1, 30), ({ b, logits }) => {
      expectThat(at(logits, b) >= -1e-6, () => `${at(logits, b)} is below 0`)
    }),
    law("its gradient is softmax of rows plus softmax of columns minus twice the identity, over 2b", squares(), (s) => {
      expectClose(slope(s.logits, s.b), matchingGradient(rows(s.logits, s.b)).flat(), { absolute: 1e-6 })
    }),
    law("its gradient sums to 0", squares(), ({ b, logits }) => {
      expectClose(
        slope(logits, b).reduce((a, x) => a + x, 0),
        0,
        { absolute: 1e-6 },
      )
    }),
    law("raising a right logit never raises the loss", fc.tuple(squares(), fc.nat(5), real(9)), ([s, which, up]) => {
      const { b, logits } = s
      const raised = logits.map((x, i) => (i === (which % b) * (b + 1) ? x + Math.abs(up) : x))
      const [before, after] = [at(logits, b), at(raised, b)]
      expectThat(after <= before + 1e-5, () => `the loss rose from ${before} to ${after}`)
    }),
    law("logits of ±10,000 do not overflow", squares(2, 1), ({ b, logits }) => {
      const wide = logits.map((s) => 1e4 * s)
      expectClose(at(wide, b), matchingReference(rows(wide, b)))
      expectThat(slope(wide, b).every(Number.isFinite), () => "a gradient is not finite")
    }),
    law("it has the value and the gradient of the float64 reference", squares(1, 4), ({ b, logits }) => {
      expectGradient(
        (s) => loss(s!),
        (s) => matchingReference(rows(s!, b)),
        [{ shape: [b, b], data: logits }],
      )
    }),
  ]
}

/** A contrastive loss of features of any length, which it normalises, and the logarithm of the scale. */
export type ContrastiveLossOf = (images: tf.Tensor, texts: tf.Tensor, logScale: tf.Tensor) => tf.Scalar

/** Numbers away from 0, so that no feature is short and cosines are smooth. */
const coordinate = real(3).filter((x) => Math.abs(x) > 0.2)
const pairs = (min = 1, t = real(2)) =>
  fc.tuple(size(min, 5), size(2, 4)).chain(([b, j]) =>
    fc.record({
      b: fc.constant(b),
      j: fc.constant(j),
      images: grid([b, j], coordinate),
      texts: grid([b, j], coordinate),
      t,
    }),
  )
type Pairs = ReturnType<typeof pairs> extends fc.Arbitrary<infer T> ? T : never

const sideOf = ({ b, j }: Pairs, flat: ReadonlyArray<number>): tf.Tensor => float([b, j], flat)
const logitsOf = ({ j, images, texts, t }: Pairs) => scaledCosines(rows(images, j), rows(texts, j), t)

/** Every row mirrored at the plane that a direction is orthogonal to. */
const mirrored = (flat: ReadonlyArray<number>, direction: ReadonlyArray<number>): Array<number> =>
  rows(flat, direction.length).flatMap((x) => {
    const along = (2 * dot(x, direction)) / dot(direction, direction)
    return x.map((v, i) => v - along * direction[i]!)
  })

/**
 * What CLIP's loss obeys, as a function of features of any length and of the logarithm of the scale.
 * @source Radford et al. 2021, figure 3
 */
export const contrastiveLaws = (loss: ContrastiveLossOf): ReadonlyArray<Law> => {
  const at = (p: Pairs, { images = p.images, texts = p.texts, t = p.t } = {}): number =>
    values(loss(sideOf(p, images), sideOf(p, texts), tf.scalar(t)))[0]!
  const slopes = (p: Pairs) =>
    gradient(
      (images, texts, t) => loss(images!, texts!, t!),
      [sideOf(p, p.images), sideOf(p, p.texts), tf.scalar(p.t)],
    ).map(values)
  return [
    law("images and texts can change places", pairs(), (p) => {
      expectClose(at(p, { images: p.texts, texts: p.images }), at(p))
    }),
    law("the order of the pairs is irrelevant", fc.tuple(pairs(), fc.nat(9)), ([p, by]) => {
      const moved = (flat: ReadonlyArray<number>) => turned(p.b, by).flatMap((i) => flat.slice(i * p.j, (i + 1) * p.j))
      expectClose(at(p, { images: moved(p.images), texts: moved(p.texts) }), at(p))
    }),
    law(
      "one rotation or reflection of both sides changes nothing",
      pairs().chain((p) => fc.tuple(fc.constant(p), grid([p.j], coordinate))),
      ([p, v]) => {
        expectClose(at(p, { images: mirrored(p.images, v), texts: mirrored(p.texts, v) }), at(p))
      },
    ),
    law("the lengths of features are irrelevant", fc.tuple(pairs(), size(1, 40)), ([p, by]) => {
      const longer = (flat: ReadonlyArray<number>, n: number) =>
        flat.map((x, i) => (x * (1 + ((Math.floor(i / p.j) + n) % 3) * by)) / 8)
      expectClose(at(p, { images: longer(p.images, 0), texts: longer(p.texts, 1) }), at(p))
    }),
    law("the gradient of each feature is orthogonal to it", pairs(), (p) => {
      const [images = [], texts = []] = slopes(p)
      const along = [...rows(images, p.j), ...rows(texts, p.j)].map((g, i) =>
        dot(g, rows([...p.images, ...p.texts], p.j)[i]!),
      )
      expectClose(
        along,
        along.map(() => 0),
        { absolute: 2e-6 },
      )
    }),
    law("without a scale it is ln b", pairs(), (p) => {
      expectClose(at(p, { t: -60 }), Math.log(p.b))
    }),
    law("a single pair costs nothing", pairs(), (p) => {
      const one: Pairs = { ...p, b: 1, images: p.images.slice(0, p.j), texts: p.texts.slice(0, p.j) }
      expectClose(at(one), 0, { absolute: 1e-6 })
    }),
    law("it lies between 0 and ln(1 + (b − 1) e^(2 scale))", pairs(), (p) => {
      const [found, most] = [at(p), Math.log(1 + (p.b - 1) * Math.exp(2 * Math.exp(p.t)))]
      expectThat(found >= -1e-5 && found <= most + 1e-4, () => `${found} is not within 0 and ${most}`)
    }),
    law(
      "the gradient of the logarithm of the scale is ⟨∂L/∂S, S⟩, also above ln 100",
      // Half of the scales are 90 to 245, where the loss of pairs that do not belong together is far from flat.
      pairs(
        2,
        fc.oneof(
          real(2),
          real(0.5).map((t) => t + 5),
        ),
      ),
      (p) => {
        const s = logitsOf(p)
        const expected = dot(matchingGradient(s).flat(), s.flat())
        // Float32 logits are off by their size times a ten-millionth, and so are probabilities.
        expectClose(slopes(p)[2]!, expected, { relative: 1e-3, absolute: 1e-4 * Math.max(1, Math.exp(p.t)) })
      },
    ),
    law("it is the mean of the losses of its shards, each of whose rows meets all of the other side", pairs(2), (p) => {
      const s = logitsOf(p)
      const ofShard = (i: number) => {
        const top = (x: ReadonlyArray<number>) => Math.log(x.reduce((sum, v) => sum + Math.exp(v), 0))
        return (top(s[i]!) + top(s.map((row) => row[i]!))) / 2 - s[i]![i]!
      }
      const losses = s.map((_, i) => ofShard(i))
      expectClose(at(p), losses.reduce((a, x) => a + x, 0) / p.b)
    }),
    law("it has the value and the gradient of the float64 reference", pairs(), (p) => {
      expectGradient(
        (images, texts, t) => loss(images!, texts!, t!),
        (images, texts, t) => matchingReference(scaledCosines(rows(images!, p.j), rows(texts!, p.j), t![0]!)),
        [
          { shape: [p.b, p.j], data: p.images },
          { shape: [p.b, p.j], data: p.texts },
          { shape: [], data: [p.t] },
        ],
      )
    }),
  ]
}
