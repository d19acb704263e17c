/**
 * Stage: PPO over a sparse transformer, with CLIP's score of image and caption as the reward:
 *   captions -> codes of the policy -> images -> cosines -> advantages of every code -> updates
 */
import { artifact, betweenSteps, defineStageNode, Engine, Stage, split } from "@millrace/core"
import { Effect, Option, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { discreteVaeKind } from "../artifacts/discreteVae.js"
import { sparseTransformerKind } from "../artifacts/sparseTransformer.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { clipEmbedder } from "../clip/embedder.js"
import { showImages } from "../images/showImages.js"
import { epochRows } from "../order.js"
import { renamed } from "../parameters.js"
import { restoredTraining, trainingCheckpoint } from "../restoredTraining.js"
import { spread } from "../spread.js"
import { interval, rounded } from "../statistics.js"
import { CodePpoConfig } from "./ppo/config.js"
import { codeUpdateTraining, makeCodeLearner } from "./ppo/learner.js"
import { openCodeRollout } from "./ppo/rollout.js"
import { imageSize } from "./reconstruct.js"

/** Of the images before the first iteration. */
const Scores = Schema.toCodecJson(Schema.Array(Schema.Number))

export const codePpoStage = defineStageNode({
  type: "dalle.ppo",
  version: 1,
  source: "Schulman et al. 2017; Ouyang et al. 2022, section 3.5: a policy and a reward, whatever the tokens stand for",
  config: CodePpoConfig,
  ports: {
    in: {
      prior: artifact(sparseTransformerKind),
      dvae: artifact(discreteVaeKind),
      tokenizer: artifact(tokenizerKind),
      clip: artifact(clipModelKind),
      images: artifact(captionedImagesKind),
    },
    out: artifact(sparseTransformerKind),
  },
  run: (config, { prior, dvae, tokenizer, clip, images }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const engine = yield* Engine
      const { episodes, iterations, shown } = config
      const some = yield* images.train.read(spread(images.train.count, config.captions))
      const captions = some.map((image) => image.captions[0]!)
      const decoder = yield* engine.allocate(dvae.params)
      const embedder = yield* clipEmbedder(clip)
      const restored = yield* restoredTraining(codeUpdateTraining(prior.config, config))
      const learner = yield* makeCodeLearner(prior, config, split(key, "learner"), restored?.state)
      const draw = yield* openCodeRollout(prior, dvae, decoder, tokenizer, embedder, episodes)
      const size = imageSize(dvae.config)
      const looked = Array.from({ length: episodes }, (_, i) => captions[i % captions.length]!)

      /** Scores of the same captions with the same random numbers, before and after. */
      const look = (step: number) =>
        Effect.gen(function* () {
          const { images, scores } = yield* draw(learner.policy, looked, split(key, "look"))
          yield* showImages({
            title: "Images of the policy",
            step,
            size: [size, size],
            columns: Math.min(8, shown),
            tiles: images
              .slice(0, shown)
              .map((pixels, i) => ({ pixels, text: `${looked[i]!}: ${scores[i]!.toFixed(3)}` })),
          })
          return scores
        })

      const scored = Schema.decodeUnknownOption(Scores)(restored?.gathered)
      const before = Option.isSome(scored) ? scored.value : yield* look(0)
      for (let i = restored?.step ?? 0; i < iterations; i++) {
        const here = split(split(key, "rollouts"), i)
        const chosen = epochRows(captions.length, episodes, split(key, "captions"), i).map((at) => captions[at]!)
        const rollout = yield* draw(learner.policy, chosen, here)
        const values = yield* learner.learn(rollout, i)
        const reward = rollout.scores.reduce((sum, score) => sum + score, 0) / episodes
        yield* emit({
          type: "stage.step",
          step: i + 1,
          steps: iterations,
          values: { ...values, reward },
          amount: episodes,
          unit: "images",
        })
        yield* betweenSteps(
          Effect.map(learner.state, (state) =>
            trainingCheckpoint(i + 1, state, -reward, Schema.encodeSync(Scores)(before)),
          ),
        )
      }
      const after = yield* look(iterations)
      yield* emit({
        type: "stage.table",
        title: `CLIP's score of ${episodes} images, the same captions and random numbers`,
        columns: ["policy", "cosine", "95 %"],
        rows: Object.entries({ before, after, rise: after.map((score, i) => score - before[i]!) }).map(
          ([name, values]) => {
            const { mean, low, high } = interval(values)
            return [name, rounded(mean, 4), `${low.toFixed(3)} to ${high.toFixed(3)}`]
          },
        ),
      })
      return { config: prior.config, params: renamed(yield* learner.policy.read(), "policy.", "") }
    }),
})
