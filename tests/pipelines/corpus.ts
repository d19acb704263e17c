/** A small corpus and labeler, made here: sentences of a grammar, so that every run of every machine has the same text. */
import { artifact, defineStageNode, keyFromSeed, random, split } from "@millrace/core"
import { type Corpus, corpusKind, labelerKind, lexiconLabeler } from "@millrace/pipelines"
import { Effect, Schema } from "effect"

const who = "Ada Bert Clara David Emma Frank Greta Hugo Ida Jonas Karla Ludwig Maria Nora Otto Paula Rosa Simon".split(
  " ",
)
const surname = "Baker Cooper Fisher Gardner Hunter Mason Miller Potter Smith Tanner Turner Weaver".split(" ")
const how = "gladly often never slowly quickly always quietly proudly seldom once".split(" ")
const does = "opens finds loves hates mends breaks remembers forgets praises ruins".split(" ")
const what = [
  "the good mill",
  "a bad wheel",
  "the great stone",
  "an awful gate",
  "the happy village",
  "the poor harvest",
]
const when = ["in the morning", "after the long winter", "before the storm", "with joy", "without hope", "as ever"]

const sentence = (seed: number): string => {
  const draws = random.uniform(split(keyFromSeed(11), seed), [6]).data
  return `${[who, surname, how, does, what, when].map((words, i) => words[Math.floor(draws[i]! * words.length)]!).join(" ")}.`
}

/** `documents` of 60 sentences each. */
export const textOf = (documents: number, from = 0): Corpus["train"] =>
  Array.from({ length: documents }, (_, i) => ({
    title: `document ${from + i}`,
    text: Array.from({ length: 60 }, (_, j) => sentence((from + i) * 60 + j)).join(" "),
  }))

/** A corpus node of any content. */
export const corpusOf = (corpus: Omit<Corpus, "source">) =>
  defineStageNode({
    type: "test.corpus",
    version: 1,
    config: Schema.Struct({}),
    ports: { in: {}, out: artifact(corpusKind) },
    run: () => Effect.succeed({ source: "made by a test", ...corpus }),
  })({})

export const smallCorpus = corpusOf({ train: textOf(10), heldOut: textOf(3, 10) })

const valences = { good: 3, great: 3, happy: 3, loves: 3, joy: 3, praises: 3, bad: -3, awful: -3, hates: -3, ruins: -2 }

export const labeler = defineStageNode({
  type: "test.labeler",
  version: 1,
  config: Schema.Struct({}),
  ports: { in: {}, out: artifact(labelerKind) },
  run: () => Effect.succeed(lexiconLabeler("made by a test", valences)),
})({})
