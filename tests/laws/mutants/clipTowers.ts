import { embed, isParamSpec, mapTree, ones, type ParamSpec, type Tree, zeros } from "@millrace/core"
import { type ClipTextParams, clipText, resNetParams, type VitParams, vit } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { clipTextLaws, type ResNetStart, resNetStartLaws, type TextTower, type Vit, vitLaws } from "../clipTowerLaws.js"
import { mutantSet } from "./mutantSet.js"

/** An image whose pixels stand elsewhere before they are cut into patches. */
const shuffled = (image: tf.Tensor): tf.Tensor =>
  tf.reshape(tf.transpose(tf.reshape(image, [-1, 4, 9, 3]), [0, 2, 1, 3]), image.shape)

/** The tower read elsewhere: every place is made the end of text in its turn, which the largest id is. */
const readAt =
  (place: (tokens: tf.Tensor) => tf.Tensor): TextTower =>
  (config, p, tokens) => {
    const [b = 0, t = 0] = tokens.shape
    // One more id than there are, with the embedding of what stood there.
    const where = tf.oneHot(tf.cast(place(tokens), "int32"), t, 1, 0, "int32")
    const marked = tf.add(tokens, tf.mul(where, tf.scalar(config.vocab, "int32")))
    const token = tf.concat([p.token, p.token], 0)
    return clipText(
      { ...config, vocab: 2 * config.vocab },
      { ...p, token } satisfies ClipTextParams,
      tf.reshape(marked, [b, t]),
    )
  }

const last = (tokens: tf.Tensor): tf.Tensor => tf.fill([tokens.shape[0]!], tokens.shape[1]! - 1)

const startingWith =
  (which: RegExp, init: ParamSpec["init"]): ResNetStart =>
  (config, joint): Tree<ParamSpec> =>
    mapTree<ParamSpec, ParamSpec>(resNetParams(config, joint), isParamSpec, (name, spec) =>
      which.test(name) ? { ...spec, init } : spec,
    )

export const vitMutants = mutantSet<Vit>({
  subject: "vision transformer",
  laws: vitLaws,
  real: vit,
  runs: 8,
  mutants: {
    "whose patches are not the squares of the image": (config, p, image) => vit(config, p, shuffled(image)),
    "that also adds the means of the first rows": (config, p, image) =>
      tf.add(vit(config, p, image), tf.slice(tf.mean(image, [2, 3]), [0, 0], [1, 3])),
    "that sees the left half": (config, p, image) =>
      vit(config, p, tf.concat([tf.slice(image, [0, 0, 0, 0], [1, 6, 4, 3]), tf.zeros([1, 6, 2, 3])], 2)),
    "that forgets its positions": (config, p, image) =>
      vit(config, { ...p, position: tf.zerosLike(p.position) } satisfies VitParams, image),
  },
})

export const clipTextMutants = mutantSet<TextTower>({
  subject: "CLIP text tower",
  laws: clipTextLaws,
  real: clipText,
  runs: 8,
  mutants: {
    "that is read at the last place": readAt(last),
    "that sees what comes after": (config, p, tokens) =>
      tf.add(clipText(config, p, tokens), tf.mean(embed(p.token, tokens), [1, 2]).reshape([-1, 1])),
    "that is read at the first place": readAt((tokens) => tf.zeros([tokens.shape[0]!])),
    "in which the first text's end is everyone's": readAt((tokens) =>
      tf.fill([tokens.shape[0]!], 0).add(tf.slice(tf.argMax(tokens, 1), [0], [1])),
    ),
  },
})

export const resNetMutants = mutantSet<ResNetStart>({
  subject: "residual network at its start",
  laws: resNetStartLaws,
  real: resNetParams,
  runs: 3,
  mutants: {
    "whose blocks' last gains start at 1": startingWith(/^stages\..*norm3\.gain/, ones),
    "whose skips start at 0": startingWith(/skip\.norm\.gain/, zeros),
  },
})
