import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  decodeEvents,
  Engines,
  encodeGraph,
  type Objective,
  objectiveOf,
  type RecordedRun,
  recordRun,
  type StampedEvent,
  sizeOf,
  stageNames,
} from "@millrace/core"
import {
  answer,
  bestOfEach,
  curveOf,
  dalle,
  dallePresets,
  discreteCoding,
  fewerThan,
  imagePrior,
  type Judge,
  pictureFacts,
  questions,
  type RankedDrawn,
  riseText,
} from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, expect, test } from "vitest"
import { patchesStage } from "./patches.js"

const { tiny } = dallePresets
const graph = dalle(tiny, patchesStage({ size: 16 }))
const stages = stageNames(graph)

let root = ""
const runs: Array<RecordedRun> = []
let events: ReadonlyArray<StampedEvent> = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-dalle-"))
  for (const seed of [1, 1, 2]) {
    const run = recordRun(graph, { root, seed })
    runs.push(await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx", { threads: 1 })))))
  }
  events = decodeEvents(await readFile(join(runs[0]!.folder.path, "events.jsonl"), "utf8"))
}, 60_000)
afterAll(() => rm(root, { recursive: true }))

const told = <Type extends StampedEvent["type"]>(type: Type) =>
  events.flatMap((event) => (event.type === type ? [event as Extract<StampedEvent, { type: Type }>] : []))

test("every stage starts and ends in the order of the graph, and the run is done", () => {
  expect(told("stage.started").map(({ stage }) => stage)).toEqual(stages)
  expect(told("stage.ended").map(({ stage }) => stage)).toEqual(stages)
  expect(told("run.ended")).toMatchObject([{ status: "done" }])
})

test("the same seed gives the same bytes of every artifact; another seed others wherever something is drawn", () => {
  const [first, again, other] = runs
  expect(again!.digests).toEqual(first!.digests)
  for (const stage of stages) {
    const same = other!.digests[stage]!.out === first!.digests[stage]!.out
    expect([stage, same]).toEqual([stage, stage === "images" || stage === "tokenizer"])
  }
})

test("every table is told: of codes, of both cross-entropies, of the judge, and of the best of n for each group of captions", () => {
  const tables = told("stage.table").map(({ stage, title, rows }) => [stage, title, rows.length])
  expect(tables).toEqual([
    ["dvae", "Reconstruction", 2],
    ["prior", "Cross-entropy on 16 held-out images", 2],
    ["judge", "The judge on 16 held-out images", 2],
    ["evaluate", "The judge on reconstructions of 16 training images, the most that samples can reach", 4],
    ["evaluate", "The best of n images for 4 captions: train", 3],
    ["evaluate", "What the judge sees in the best of n: train", 4],
    ["evaluate", "The best of n images for 4 captions: held out", 3],
    ["evaluate", "What the judge sees in the best of n: held out", 4],
  ])
})

test("reconstructions, images while the prior learns, candidates and the best of them are shown", () => {
  const shown = told("stage.images").map(({ stage, title }) => `${stage}: ${title}`)
  expect([...new Set(shown)]).toEqual([
    "dvae: Reconstructions of held-out images",
    "prior: Images of held-out captions",
    "rerank: Candidates for captions: train",
    "rerank: Candidates for captions: held out",
    "evaluate: Best of 4: train",
    "evaluate: Best of 4: held out",
  ])
})

test("the paper's sizes make a graph, whose prior has 12 billion parameters and whose dVAE has 98 million", () => {
  const { paper } = dallePresets
  expect(encodeGraph(dalle(paper, patchesStage({ size: 256 }))).nodes).toHaveLength(stages.length)
  const count = (objective: Objective): number =>
    Object.values(objective.paramSpecs).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const grid = { rows: 32, columns: 32 }
  const textVocab = paper.tokenizer.vocab
  const prior = { ...paper.prior.model, ...grid, textVocab, imageVocab: paper.dvae.model.vocab }
  expect(count(objectiveOf(imagePrior(prior, "counted"))) / 1e9).toBeCloseTo(12.3, 1)
  expect(count(objectiveOf(discreteCoding({ ...paper.dvae.model, ...grid })))).toBe(53_786_240 + 43_829_766)
})

/** A caption whose sets of 1, 2, 4, … candidates have these scores, the largest set last. */
const rankedOf = (sets: ReadonlyArray<ReadonlyArray<number>>): RankedDrawn => {
  const drawn = sets.map((scores) => scores.map((logProb) => ({ pixels: new Uint8Array(3), logProb })))
  return {
    request: { caption: "any" },
    candidates: drawn.at(-1)!,
    scores: sets.at(-1)!,
    fewer: drawn.slice(0, -1),
    fewerScores: sets.slice(0, -1),
  }
}

const setsOf = (most: number) =>
  fc.tuple(
    ...[...fewerThan(most), most].map((n) =>
      fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: n, maxLength: n }),
    ),
  )

test("the best of each n is the best of its own candidates alone", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }).chain((most) => setsOf(most)),
      (sets) => {
        const best = bestOfEach(rankedOf(sets))
        expect(best.map(({ n }) => n)).toEqual(sets.map((set) => set.length))
        for (const [i, { score, candidate }] of best.entries()) {
          expect(score).toBe(Math.max(...sets[i]!))
          expect(candidate.logProb).toBe(score)
        }
      },
    ),
  )
})

test("a score that does not grow with n is told so: nothing makes the curve rise", () => {
  const rows = [rankedOf([[0.9], [0.1, 0.5], [0.6, 0, 0, 0]]), rankedOf([[0.8], [0.4, 0.1], [0.3, 0.7, 0, 0]])]
  const curve = curveOf(rows.map(bestOfEach), [
    [true, undefined, false],
    [true, undefined, true],
  ])
  expect(curve.map(({ score }) => Number(score.mean.toFixed(6)))).toEqual([0.85, 0.45, 0.65])
  expect(curve.map(({ rise }) => rise && Number(rise.mean.toFixed(6)))).toEqual([undefined, -0.4, 0.2])
  expect(curve.map(({ right }) => right?.mean)).toEqual([1, undefined, 0.5])
  expect(riseText(curve)).toContain("rises at 1 of 2 steps of n")
})

const seeing: Judge = {
  source: "a test",
  facts: ["colour", "object", "relation", "colour2", "object2"],
  expected: (facts) => {
    const seen = pictureFacts(facts, { right: "left", below: "above" })
    return Object.fromEntries(seeing.facts.map((fact) => [fact, seen[fact] ?? "none"]))
  },
  open: () => Effect.die("not asked"),
  files: {},
}

test("two things are right only where each is in its half with its colour, whichever the caption names first, of one colour too", () => {
  const facts = { colour: "red", object: "dog", relation: "right", colour2: "red", object2: "car" }
  const shown = { colour: "red", object: "car", relation: "left", colour2: "red", object2: "dog" }
  const wrong = (verdict: Record<string, string>) =>
    questions.flatMap((question) => (answer(seeing, { facts }, verdict, question) === false ? [question.name] : []))
  expect(wrong(shown)).toEqual([])
  expect(wrong({ ...shown, object: "dog", object2: "car" })).toEqual([
    "of two: the object of each half",
    "of two: the left or upper one, object and colour",
    "of two: the right or lower one, object and colour",
    "all that the caption says",
  ])
  expect(wrong({ ...shown, colour2: "blue" })).toEqual([
    "colours",
    "each object in its colour",
    "of two: the colour of each half",
    "of two: the right or lower one, object and colour",
    "all that the caption says",
  ])
  expect(wrong({ ...shown, relation: "above" })).toContain("of two: side by side or one above the other")
})

test("nothing of two things is asked of a caption with one, and nothing of a caption without facts", () => {
  const asked = (facts: Record<string, string>) =>
    questions.filter((question) => answer(seeing, { facts }, seeing.expected(facts), question) !== undefined)
  expect(asked({ colour: "red", object: "dog" }).map(({ name }) => name)).toEqual([
    "colours",
    "objects",
    "each object in its colour",
    "all that the caption says",
  ])
  expect(asked({})).toEqual([])
})

test("a dog to the right of a car is a car to the left of a dog, and facts in a picture's order stay so", () => {
  const inverses = { right: "left", below: "above" }
  const dogRight = { colour: "red", object: "dog", relation: "right", colour2: "blue", object2: "car" }
  const carLeft = { colour: "blue", object: "car", relation: "left", colour2: "red", object2: "dog" }
  expect(pictureFacts(dogRight, inverses)).toEqual(carLeft)
  expect(pictureFacts(carLeft, inverses)).toEqual(carLeft)
  expect(pictureFacts({ colour: "red", object: "dog" }, inverses)).toEqual({ colour: "red", object: "dog" })
})
