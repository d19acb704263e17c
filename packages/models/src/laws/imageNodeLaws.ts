/** The laws that the losses of CLIP, DALL·E and DALL·E 2 carry, and choosing among samples. */
import {
  bounded,
  embeddings,
  grid,
  linear,
  type NodeLaws,
  nonNegative,
  permutationEquivariant,
  permutationInvariant,
  rows,
  shiftInvariant,
  size,
  sumsTo,
  symmetric,
  tokens,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import { unitNorm } from "../clip/unitNorm.js"
import type { DiffusionLossConfig } from "../diffusion/loss.js"
import type { DvaeLoss } from "../losses/dvae.js"
import { contrastiveLaws } from "./contrastiveLaws.js"
import { dvaeLossLaws } from "./dvaeLossLaws.js"
import { gumbelSoftmaxLaws } from "./gumbelSoftmaxLaws.js"
import { one, scalar, several } from "./outputs.js"
import { codeLossLaws, priorLossLaws } from "./priorLaws.js"
import { uniformKlLaws } from "./uniformKlLaws.js"

export const contrastiveNodeLaws = (): NodeLaws => ({
  laws: [
    (s) =>
      contrastiveLaws((images, texts, logScale) =>
        scalar(s, { images: unitNorm(images), texts: unitNorm(texts), logScale }),
      ),
    permutationInvariant("b"),
    nonNegative(),
  ],
})

export const dvaeLossNodeLaws = (): NodeLaws => ({
  laws: [
    (s) =>
      dvaeLossLaws((batch, beta) => {
        const { loss, reconstruction, kl } = several(s, { ...batch, beta: tf.scalar(beta) })
        return { loss, reconstruction, kl } as DvaeLoss
      }),
    permutationInvariant("b"),
    permutationInvariant("s"),
    nonNegative("kl"),
  ],
})

export const logitLaplaceNodeLaws = (): NodeLaws => ({
  laws: [permutationEquivariant("y"), permutationEquivariant("x"), permutationEquivariant("c")],
})

export const uniformKlNodeLaws = (): NodeLaws => ({
  laws: [
    (s) => uniformKlLaws((logits) => tf.squeeze(one(s, { logits: tf.expandDims(logits, 0) }), [0])),
    shiftInvariant("logits", "k"),
    nonNegative(),
  ],
})

export const priorLossNodeLaws = (): NodeLaws => ({
  laws: [
    (s) => priorLossLaws((predicted, embedding) => scalar(s, { predicted, embedding })),
    symmetric("predicted", "embedding"),
    permutationInvariant("b"),
  ],
})

export const codeLossNodeLaws = (): NodeLaws => ({
  laws: [
    (s) => codeLossLaws((logits, codes) => scalar(s, { logits, codes })),
    shiftInvariant("logits", "v"),
    permutationInvariant("b"),
    permutationInvariant("k"),
  ],
  examples: { codes: (shape, { v = 2 }) => tokens(shape, v) },
})

/** Of a schedule of so many steps. */
export const noiseNodeLaws = (data: string, steps: number): NodeLaws => ({
  laws: [linear(data, "noise")],
  examples: { time: (shape) => tokens(shape, steps) },
})

/** Of images: an output with a learned variance has twice the channels. */
export const diffusionLossNodeLaws = (
  steps: number,
  learned: boolean,
  kind: DiffusionLossConfig["kind"],
): NodeLaws => ({
  // The bound of a hybrid loss teaches the variance alone.
  ...(kind === "hybrid" ? { gradient: "stopped" } : {}),
  laws: [permutationInvariant("b"), permutationInvariant("y"), permutationInvariant("x"), nonNegative("simple")],
  sizes: { c: 2, k: learned ? 4 : 2 },
  examples: { time: (shape) => tokens(shape, steps) },
})

export const embeddingLossNodeLaws = (steps: number): NodeLaws => ({
  laws: [permutationInvariant("b"), permutationInvariant("d"), nonNegative()],
  examples: { time: (shape) => tokens(shape, steps) },
})

export const bestOfNodeLaws = (keep: number): NodeLaws => ({
  gradient: "stopped",
  laws: [permutationEquivariant("s")],
  ranges: { n: [keep, keep + 3] },
})

export const relaxNodeLaws = (): NodeLaws => ({
  laws: [
    (s) =>
      gumbelSoftmaxLaws((logits, noise, t) => {
        const given = { logits: tf.expandDims(logits, 0), noise: tf.expandDims(noise, 0), temperature: tf.scalar(t) }
        return tf.squeeze(one(s, given), [0])
      }),
    sumsTo(1, "k"),
    shiftInvariant("logits", "k"),
    permutationEquivariant("s"),
  ],
  examples: { temperature: (shape) => grid(shape, size(1, 12)).map((x) => x.map((n) => n / 4)) },
})

const units = (shape: ReadonlyArray<number>) =>
  embeddings(shape).map((x) =>
    rows(x, shape.at(-1)!).flatMap((row) => row.map((v) => Math.fround(v / Math.hypot(...row)))),
  )

export const classifyNodeLaws = (): NodeLaws => ({
  laws: [sumsTo(1, "k"), bounded(0, 1), permutationEquivariant("k")],
  examples: { images: units, classes: units },
})
