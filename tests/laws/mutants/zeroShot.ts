import { softmax } from "@millrace/core"
import { classProbabilities, ensemble, unitNorm } from "@millrace/models"
import { type ClassifyOf, classifyLaws, type EnsembleOf, ensembleLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const cosines = (images: tf.Tensor, classes: tf.Tensor): tf.Tensor => tf.matMul(images, classes, false, true)

export const ensembleMutants = mutantSet<EnsembleOf>({
  subject: "ensemble of prompts",
  laws: ensembleLaws,
  real: ensemble,
  mutants: {
    "that weighs later prompts more": (prompts) =>
      unitNorm(tf.sum(tf.mul(prompts, tf.reshape(tf.range(1, prompts.shape[1]! + 1), [-1, 1])), 1)),
    "that is not brought to length 1": (prompts) => tf.mean(prompts, 1),
    "that adds": (prompts) => tf.sum(prompts, 1),
  },
})

export const classifyMutants = mutantSet<ClassifyOf>({
  subject: "zero-shot classification",
  laws: classifyLaws,
  real: classProbabilities,
  mutants: {
    "that adds the classes' first coordinate": (images, classes, scale) =>
      softmax(tf.add(tf.mul(cosines(images, classes), scale), tf.reshape(tf.slice(classes, [0, 0], [-1, 1]), [-1]))),
    "of each class for itself": (images, classes, scale) => tf.sigmoid(tf.mul(cosines(images, classes), scale)),
    "that prefers earlier classes": (images, classes, scale) => {
      const early = tf.mul(tf.range(0, classes.shape[0]!), -1)
      return softmax(tf.add(tf.mul(cosines(images, classes), scale), early))
    },
    "that divides by the scale": (images, classes, scale) => softmax(tf.div(cosines(images, classes), scale)),
  },
})
