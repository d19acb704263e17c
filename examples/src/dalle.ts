/**
 * DALL·E on synthetic scenes of real sprites: a discrete VAE, a sparse transformer over captions and codes, CLIP as the reranker.
 *
 *   npx millrace run dalle      the sprites of the scenes, 74 MB, are fetched once
 *
 * The judge, a network trained apart on the scenes, says what the pictures show: on 512 held-out scenes it is right about 99.4 %
 * of colours and 96.3 % of objects, and on reconstructions by the discrete VAE, the most that samples can reach, about 99.6 % of
 * objects in their colours. With seed 0, about ten minutes on two cores:
 *
 *   held-out images through the discrete VAE         23.4 dB [23.3, 23.5], 205 of 256 codes in use
 *   cross-entropy of held-out text and image tokens  0.56 and 1.43 nat a token
 *
 *   the best by CLIP of   1       2       4       8       16    images, for 24 captions such as train shows
 *   cosine by CLIP        0.793   0.848   0.885   0.910   0.925
 *   colours right         84 %    89 %    93 %    96 %    96 %
 *   objects in colours    77 %    79 %    79 %    80 %    83 %  (20 of 24)
 *   relation right        13 %    22 %    34 %    41 %    40 %  of the five captions with two things
 *
 * For 24 captions that train shows nothing like: colours 96 %, objects in their colours 54 %. What two things are is mostly wrong.
 */
import { registry as registryOf } from "@millrace/core"
import { dalle, dallePresets, dalleStages } from "@millrace/pipelines"
import { scenes } from "./data/scenes.js"
import { clearObjects as objects } from "./data/scenesWorld.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...dalleStages, scenes])

/** For `--preset`. */
export const presets = {
  tiny: () =>
    dalle(
      dallePresets.tiny,
      scenes({ size: 16, train: 1024, heldOut: 64, objects, single: 0.75, background: "white" }),
    ),
  small: () =>
    dalle(
      dallePresets.small,
      scenes({ size: 32, train: 8192, heldOut: 512, objects, single: 0.75, background: "white" }),
    ),
  paper: () =>
    dalle(
      dallePresets.paper,
      scenes({ size: 256, train: 250_000_000, heldOut: 4096, single: 0.75, background: "white" }),
    ),
}

export default presets.small()
