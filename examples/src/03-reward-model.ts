/**
 * A reward model from ten comparisons: which of two sentences a reader prefers.
 *
 *   npm run example 03      about two seconds
 *
 * The loss falls from about 0.7 (ln 2, no opinion) to near 0, and sentences that were never compared are ranked.
 */
import { fileURLToPath } from "node:url"
import { adamW, Engine, Engines, float32, forward, initParams, int32, keyFromSeed, objectiveOf } from "@millrace/core"
import { makeTrainer, ranking, scoring } from "@millrace/pipelines"
import { Effect } from "effect"

const comparisons: ReadonlyArray<readonly [better: string, worse: string]> = [
  ["a good day", "a bad day"],
  ["the good news", "the bad news"],
  ["good work", "bad work"],
  ["he was good", "he was bad"],
  ["a good end", "a bad end"],
  ["this is good", "this is bad"],
  ["so good", "so bad"],
  ["good food here", "bad food here"],
  ["a very good idea", "a very bad idea"],
  ["all is good", "all is bad"],
]
const unseen = ["a good friend", "a bad friend", "we had good luck", "we had bad luck"]
const width = 20

/** Bytes as tokens, and a mask of the real ones. */
const rows = (texts: ReadonlyArray<string>, shape: ReadonlyArray<number>) => {
  const tokens = new Int32Array(texts.length * width)
  const mask = new Float32Array(texts.length * width)
  texts.forEach((text, i) => {
    const bytes = new TextEncoder().encode(text)
    tokens.set(bytes, i * width)
    mask.fill(1, i * width, i * width + bytes.length)
  })
  return { tokens: int32([...shape, width], tokens), mask: float32([...shape, width], mask) }
}

export const main = async (print: (line: string) => void = console.log): Promise<void> => {
  const config = { vocab: 256, context: width, width: 32, layers: 1, heads: 2 }
  const b = comparisons.length
  const batch = {
    ...rows(comparisons.flat(), [b, 2]),
    preference: float32(
      [b, 2],
      comparisons.flatMap(() => [1, 0]),
    ),
    present: float32([b, 2], new Float32Array(b * 2).fill(1)),
  }
  const run = Effect.gen(function* () {
    const objective = objectiveOf(ranking(config))
    const trainer = yield* makeTrainer({
      objective,
      inputs: batch,
      initial: initParams(objective.paramSpecs, keyFromSeed(2)),
      config: { steps: 60, schedule: { kind: "constant", peak: 3e-3, warmup: 0, floor: 1 }, optimizer: adamW, clip: 1 },
    })
    for (let step = 0; step < 60; step++) {
      const { loss, accuracy } = yield* trainer.step(batch)
      if (step % 20 === 0 || step === 59)
        print(`step ${step + 1}: loss ${loss!.toFixed(3)}, ${100 * accuracy!} % right`)
    }
    const inputs = rows(unseen, [unseen.length])
    const score = yield* (yield* Engine).compile(forward(objectiveOf(scoring(config)), inputs))
    const out = yield* score.run({ state: { params: trainer.params }, inputs })
    unseen.forEach((text, i) => {
      print(`${out.score!.data[i]!.toFixed(1).padStart(5)}  ${text}`)
    })
  })
  await Effect.runPromise(run.pipe(Effect.scoped, Effect.provide(Engines.layer("onnx"))))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
