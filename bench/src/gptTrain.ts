/** Tokens a second of training the default GPT: 4 layers, width 256, 128 tokens × batch 8, vocabulary 1,024. */
import { adamW, initParams, int32, keyFromSeed, objectiveOf, random } from "@millrace/core"
import { languageModelling, makeTrainer } from "@millrace/pipelines"
import { Effect } from "effect"

const [batch, context] = [8, 128]

export const gptTrain = Effect.gen(function* () {
  const config = { vocab: 1024, context, width: 256, layers: 4, heads: 4 }
  const objective = objectiveOf(languageModelling(config))
  const trainer = yield* makeTrainer({
    objective,
    inputs: { tokens: { dtype: "int32", shape: [batch, context] } },
    initial: initParams(objective.paramSpecs, keyFromSeed(1)),
    config: { steps: 1000, schedule: { kind: "constant", peak: 1e-3, warmup: 0, floor: 1 }, optimizer: adamW, clip: 1 },
  })
  const tokens = int32([batch, context], random.integers(keyFromSeed(2), [batch * context], 0, config.vocab).data)
  return {
    name: "train, 4 × 256, 128 tokens × batch 8",
    tokens: batch * context,
    run: () => Effect.runPromise(Effect.asVoid(trainer.step({ tokens }))),
  }
})
