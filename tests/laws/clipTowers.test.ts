import { embed, isParamSpec, mapTree, ones, type ParamSpec, type Tree, zeros } from "@millrace/core"
import { type ClipTextParams, clipText, resNetParams, type VitParams, vit } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { clipTextLaws, type ResNetStart, resNetStartLaws, type TextTower, type Vit, vitLaws } from "./clipTowerLaws.js"
import { verify } from "./law.js"
import { refuse } from "./refuse.js"

verify("vit", vitLaws(vit))
verify("clipText", clipTextLaws(clipText))
verify("resNet", resNetStartLaws(resNetParams))

/** An image whose pixels stand elsewhere before they are cut into patches. */
const shuffled = (image: tf.Tensor): tf.Tensor =>
  tf.reshape(tf.transpose(tf.reshape(image, [-1, 4, 9, 3]), [0, 2, 1, 3]), image.shape)

refuse<Vit>("vit", vitLaws, [
  [
    "whose patches are not the squares of the image",
    (config, p, image) => vit(config, p, shuffled(image)),
    "without positions, the order of the patches is irrelevant",
  ],
  [
    "that also adds the means of the first rows",
    (config, p, image) => tf.add(vit(config, p, image), tf.slice(tf.mean(image, [2, 3]), [0, 0], [1, 3])),
    "without positions, the order of the patches is irrelevant",
  ],
  [
    "that sees the left half",
    (config, p, image) =>
      vit(config, p, tf.concat([tf.slice(image, [0, 0, 0, 0], [1, 6, 4, 3]), tf.zeros([1, 6, 2, 3])], 2)),
    "every patch has a say: the gradient reaches it",
  ],
  [
    "that forgets its positions",
    (config, p, image) => vit(config, { ...p, position: tf.zerosLike(p.position) } satisfies VitParams, image),
    "where the patches are tells images apart",
  ],
])

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

refuse<TextTower>("clipText", clipTextLaws, [
  ["that is read at the last place", readAt(last), "tokens after the end of text change nothing, bit for bit"],
  ["that is read at the last place, cut", readAt(last), "a text that is cut after its end has the same feature"],
  [
    "that sees what comes after",
    (config, p, tokens) =>
      tf.add(clipText(config, p, tokens), tf.mean(embed(p.token, tokens), [1, 2]).reshape([-1, 1])),
    "tokens after the end of text change nothing, bit for bit",
  ],
  ["that is read at the first place", readAt((tokens) => tf.zeros([tokens.shape[0]!])), "every token has a say"],
  [
    "in which the first text's end is everyone's",
    readAt((tokens) => tf.fill([tokens.shape[0]!], 0).add(tf.slice(tf.argMax(tokens, 1), [0], [1]))),
    "texts of a batch are read each at its own end",
  ],
])

const startingWith =
  (which: RegExp, init: ParamSpec["init"]): ResNetStart =>
  (config, joint): Tree<ParamSpec> =>
    mapTree<ParamSpec, ParamSpec>(resNetParams(config, joint), isParamSpec, (name, spec) =>
      which.test(name) ? { ...spec, init } : spec,
    )

refuse<ResNetStart>("resNet", resNetStartLaws, [
  [
    "whose blocks' last gains start at 1",
    startingWith(/^stages\..*norm3\.gain/, ones),
    "every block is its skip alone: its convolutions change nothing",
  ],
  ["whose skips start at 0", startingWith(/skip\.norm\.gain/, zeros), "the skips change what comes out"],
])
