/** Layers that models share, under the general laws. */
import { layerNorm, tensor } from "@millrace/core"
import {
  batchEquivariant,
  bounded,
  causal,
  embeddings,
  finite,
  gradientMatchesFiniteDifferences,
  gradientSumsToZero,
  lawsOf,
  linear,
  permutationEquivariant,
  scaleInvariant,
  shiftInvariant,
  sumsTo,
} from "@millrace/core/laws"
import { attention, causalBias } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import type fc from "fast-check"
import { mutantSet } from "./mutantSet.js"

type Norm = (x: tf.Tensor) => tf.Tensor

const epsilon = 1e-9
const plain = (x: tf.Tensor): tf.Tensor => layerNorm(x, tf.ones([x.shape[1]!]), tf.zeros([x.shape[1]!]), epsilon)
const centred = (x: tf.Tensor, axis: number): tf.Tensor => tf.sub(x, tf.mean(x, axis, true))
const scaled = (x: tf.Tensor, axis: number): tf.Tensor =>
  tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), axis, true), epsilon)))
const constant = tf.customGrad((x) => ({
  value: (x as tf.Tensor).clone(),
  gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
}))

/** Vectors whose numbers are not all alike: there is a scale to normalise by. */
const spread = (shape: ReadonlyArray<number>): fc.Arbitrary<Array<number>> =>
  embeddings(shape).map((x) => x.map((v, i) => v + (i % shape[1]!)))

export const layerNormMutants = mutantSet<Norm>({
  subject: "layer norm without gain and bias",
  laws: (norm) =>
    lawsOf(
      {
        name: "layer norm",
        in: { x: tensor("float32", "b d") },
        out: tensor("float32", "b d"),
        ranges: { d: [3, 5] },
        examples: { x: (shape) => spread(shape).filter((x) => alive(x, shape[1]!)) },
        apply: ({ x }) => norm(x!),
      },
      [
        shiftInvariant("x", "d"),
        scaleInvariant("x", "d"),
        sumsTo(0, "d"),
        permutationEquivariant("d"),
        batchEquivariant("b"),
        bounded(-2, 2),
        gradientSumsToZero("x", "d"),
        gradientMatchesFiniteDifferences({ step: 1 / 64 }),
      ],
    ),
  real: plain,
  mutants: {
    "that does not centre": (x) => scaled(x, 1),
    "that does not scale": (x) => centred(x, 1),
    "that takes the moments of the batch": (x) => scaled(centred(x, 0), 0),
    "that takes its moments for constants": (x) => {
      const mean = constant(tf.mean(x, 1, true))
      const variance = constant(tf.mean(tf.square(tf.sub(x, mean)), 1, true))
      return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)))
    },
    "that adds the places": (x) => tf.add(plain(x), tf.range(0, x.shape[1]!)),
    "that has a great ε": (x) => layerNorm(x, tf.ones([x.shape[1]!]), tf.zeros([x.shape[1]!]), 1),
  },
})

const alive = (x: ReadonlyArray<number>, width: number): boolean =>
  Array.from({ length: x.length / width }, (_, i) => x.slice(i * width, (i + 1) * width)).every(
    (row) => Math.max(...row) - Math.min(...row) > 0.5,
  )

type Attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor

const all = (q: tf.Tensor, k: tf.Tensor): tf.Tensor => tf.zeros([q.shape[2]!, k.shape[2]!])
const scores = (q: tf.Tensor, k: tf.Tensor): tf.Tensor => tf.div(tf.matMul(q, k, false, true), Math.sqrt(q.shape[3]!))

const heads = { q: tensor("float32", "b h t e"), k: tensor("float32", "b h t e"), v: tensor("float32", "b h t e") }

export const attentionMutants = mutantSet<Attend>({
  subject: "attention of all places to all",
  laws: (attend) =>
    lawsOf(
      {
        name: "attention",
        in: heads,
        out: tensor("float32", "b h t e"),
        apply: ({ q, k, v }) => attend(q!, k!, v!),
      },
      [
        permutationEquivariant("t"),
        permutationEquivariant("h"),
        batchEquivariant("b"),
        linear("v"),
        bounded(-4, 4),
        finite(),
        shiftInvariant("k", "t"),
        gradientMatchesFiniteDifferences(),
      ],
    ),
  real: (q, k, v) => attention(q, k, v, all(q, k)),
  mutants: {
    "that sees earlier places alone": (q, k, v) => attention(q, k, v, causalBias(q.shape[2]!)),
    "that weighs by what is no distribution": (q, k, v) => tf.matMul(tf.exp(scores(q, k)), v),
    "that takes the softmax over the queries": (q, k, v) =>
      tf.matMul(tf.transpose(tf.softmax(tf.transpose(scores(q, k), [0, 1, 3, 2])), [0, 1, 3, 2]), v),
    "that squares its values": (q, k, v) => attention(q, k, tf.mul(v, tf.abs(v)), all(q, k)),
    "that joins its heads": (q, k, v) => attention(q, tf.mul(k, tf.mean(k, 1, true)), v, all(q, k)),
    "that favours the first head": (q, k, v) => {
      const h = q.shape[1]!
      return attention(q, k, tf.div(v, tf.reshape(tf.range(1, h + 1), [1, h, 1, 1])), all(q, k))
    },
    "that subtracts the batch's mean": (q, k, v) => attention(q, k, tf.sub(v, tf.mean(v, 0, true)), all(q, k)),
    "that takes its weights for constants": (q, k, v) => tf.matMul(constant(tf.softmax(scores(q, k))), v),
    overflows: (q, k, v) => {
      const e = tf.exp(tf.mul(100, scores(q, k)))
      return tf.matMul(tf.div(e, tf.sum(e, -1, true)), v)
    },
  },
})

export const causalAttentionMutants = mutantSet<Attend>({
  subject: "causal attention",
  laws: (attend) =>
    lawsOf(
      { name: "attention", in: heads, out: tensor("float32", "b h t e"), apply: ({ q, k, v }) => attend(q!, k!, v!) },
      [causal("t"), linear("v"), gradientMatchesFiniteDifferences()],
    ),
  real: (q, k, v) => attention(q, k, v, causalBias(q.shape[2]!)),
  mutants: {
    "that sees all places": (q, k, v) => attention(q, k, v, all(q, k)),
    "that masks after the softmax, and normalises no more": (q, k, v) => {
      const t = q.shape[2]!
      return tf.matMul(tf.mul(tf.softmax(scores(q, k)), tf.linalg.bandPart(tf.ones([t, t]), -1, 0)), v)
    },
    "that has half a gradient": (q, k, v) =>
      tf.add(
        tf.mul(0.5, attention(q, k, v, causalBias(q.shape[2]!))),
        constant(tf.mul(0.5, attention(q, k, v, causalBias(q.shape[2]!)))),
      ),
    "that clips its values": (q, k, v) => attention(q, k, tf.clipByValue(v, -1, 1), causalBias(q.shape[2]!)),
  },
})
