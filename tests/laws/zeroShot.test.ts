import { softmax } from "@millrace/core"
import { classProbabilities, ensemble, unitNorm } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { verify } from "./law.js"
import { refuse } from "./refuse.js"
import { type Classify, classifyLaws, type Ensemble, ensembleLaws } from "./zeroShotLaws.js"

verify("ensemble", ensembleLaws(ensemble))
verify("classProbabilities", classifyLaws(classProbabilities))

refuse<Ensemble>("ensemble", ensembleLaws, [
  [
    "that weighs later prompts more",
    (prompts) => unitNorm(tf.sum(tf.mul(prompts, tf.reshape(tf.range(1, prompts.shape[1]! + 1), [-1, 1])), 1)),
    "the order of the prompts is irrelevant",
  ],
  ["that is not brought to length 1", (prompts) => tf.mean(prompts, 1), "each class has length 1"],
  ["that adds", (prompts) => tf.sum(prompts, 1), "prompts that say the same are one prompt"],
])

const cosines = (images: tf.Tensor, classes: tf.Tensor): tf.Tensor => tf.matMul(images, classes, false, true)

refuse<Classify>("classProbabilities", classifyLaws, [
  [
    "that adds the classes' first coordinate",
    (images, classes, scale) =>
      softmax(tf.add(tf.mul(cosines(images, classes), scale), tf.reshape(tf.slice(classes, [0, 0], [-1, 1]), [-1]))),
    "the likeliest class is the same at every scale, and the nearest",
  ],
  [
    "of each class for itself",
    (images, classes, scale) => tf.sigmoid(tf.mul(cosines(images, classes), scale)),
    "probabilities are not negative and sum to 1",
  ],
  [
    "that prefers earlier classes",
    (images, classes, scale) => {
      const early = tf.mul(tf.range(0, classes.shape[0]!), -1)
      return softmax(tf.add(tf.mul(cosines(images, classes), scale), early))
    },
    "the order of the classes is irrelevant",
  ],
  [
    "that divides by the scale",
    (images, classes, scale) => softmax(tf.div(cosines(images, classes), scale)),
    "two classes' odds are e^(scale · difference of cosines)",
  ],
])
