/**
 * CLIP: images and texts in one space, told apart by a symmetric contrastive loss with a learned temperature.
 * Source   Radford et al. 2021, figure 3.
 * Differs  The temperature is not clamped: it starts at 0.07 and no benchmark runs long enough to reach 0.01.
 * Axes     b batch, t position, y x image row and column, c channels, j joint width
 */
import { crossEntropy, int32, type Key, type ParamSpec, random, split, withPath } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { type ResNetConfig, resNet, resNetParams } from "./modifiedResNet.js"
import { type Network, objectiveFrom, specsOfBatch } from "./network.js"
import { type TextConfig, textParams, textTower } from "./textTower.js"
import { type VitConfig, vit, vitParams } from "./vit.js"

export interface ClipConfig {
  /** Width of the joint space. */
  readonly joint: number
  readonly text: TextConfig
  readonly image: VitConfig | ResNetConfig
  readonly batch: number
}

/** e^2.6592 = 1 / 0.07. */
const temperature: ParamSpec = {
  shape: [],
  init: { kind: "uniform", low: Math.log(1 / 0.07), high: Math.log(1 / 0.07) },
}

const normalised = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.sqrt(tf.sum(tf.square(x), -1, true)))

/**
 * ½ (cross-entropy of each image's text + cross-entropy of each text's image).
 * @param images       float32  b j
 * @param texts        float32  b j
 * @param temperature  the logarithm of what cosines are multiplied with   float32
 * @returns            float32, in nats
 */
export const contrastiveLoss = (images: tf.Tensor, texts: tf.Tensor, temperature: tf.Tensor): tf.Tensor => {
  const [b = 0] = images.shape
  const cosines = tf.matMul(normalised(images), normalised(texts), false, true) // b b
  const logits = tf.mul(cosines, tf.exp(temperature)) // b b
  const own = tf.range(0, b, 1, "int32")
  const byImage = tf.mean(crossEntropy(logits, own))
  const byText = tf.mean(crossEntropy(tf.transpose(logits), own))
  return tf.mul(tf.add(byImage, byText), 0.5)
}

const objectiveOf = ({ joint, text, image }: ClipConfig) => {
  const shared = { text: textParams(text, joint), temperature }
  const texts = (p: Parameters<typeof textTower>[1], tokens: tf.Tensor) =>
    withPath("text", () => textTower(text, p, tokens))
  return image.kind === "vit"
    ? objectiveFrom("clip", { image: vitParams(image, joint), ...shared }, (p, inputs) =>
        contrastiveLoss(
          withPath("image", () => vit(image, p.image, inputs.image!)),
          texts(p.text, inputs.tokens!),
          p.temperature,
        ),
      )
    : objectiveFrom("clip", { image: resNetParams(image, joint), ...shared }, (p, inputs) =>
        contrastiveLoss(
          withPath("image", () => resNet(image, p.image, inputs.image!)),
          texts(p.text, inputs.tokens!),
          p.temperature,
        ),
      )
}

/** Every text ends at its last position. */
const texts = ({ vocab, context }: TextConfig, batch: number, key: Key) => {
  const tokens = random.integers(key, [batch, context], 0, vocab - 1).data
  for (let i = 1; i <= batch; i++) tokens[i * context - 1] = vocab - 1
  return int32([batch, context], tokens)
}

export const clipNetwork = (config: ClipConfig, key: Key): Network => {
  const { size } = config.image
  const batch = {
    image: random.normal(split(key, "image"), [config.batch, size, size, 3]),
    tokens: texts(config.text, config.batch, split(key, "tokens")),
  }
  return { objective: objectiveOf(config), inputs: specsOfBatch(batch), batch }
}
