import {
  answer,
  bestOfEach,
  curveOf,
  fewerThan,
  halvesTable,
  type Judge,
  joinHalves,
  pictureFacts,
  questions,
  type RankedDrawn,
  riseText,
} from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

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

test("pictures joined from halves ask for the one's first thing and the other's second, and tell of a judge that sees one half alone", async () => {
  const size = 4
  const colours = ["red", "green", "blue"]
  /** The place of a thing's colour is what its half is filled with. */
  const image = (relation: "left" | "above", first: number, second: number) => ({
    name: "any",
    captions: ["any"],
    pixels: joinHalves(new Uint8Array(48).fill(first), new Uint8Array(48).fill(second), size, relation),
    facts: { colour: colours[first]!, object: "dog", relation, colour2: colours[second]!, object2: "car" },
  })
  const rows = [
    image("left", 0, 1),
    image("above", 2, 0),
    image("left", 2, 2),
    image("left", 1, 0),
    image("above", 1, 1),
  ]
  const set = {
    count: rows.length,
    classes: [],
    digest: "",
    read: (at: ReadonlyArray<number>) => Effect.succeed(at.map((i) => rows[i]!)),
  }
  const telling = (second: (pixels: Uint8Array) => number) => (pictures: ReadonlyArray<Uint8Array>) =>
    Effect.succeed(
      pictures.map((pixels) => {
        const relation = pixels[0] === pixels.at(-7) ? "left" : "above"
        return {
          relation,
          colour: colours[pixels[0]!]!,
          object: "dog",
          colour2: colours[second(pixels)]!,
          object2: "car",
        }
      }),
    )
  const sharesOf = async (second: (pixels: Uint8Array) => number) => {
    const table = await Effect.runPromise(halvesTable(seeing, telling(second), set, size, 5))
    return table!.rows.map(([, count, share]) => `${count}: ${`${share}`.split(" ")[0]}`)
  }
  // left: red and blue, blue and red; above: blue and green.
  expect(await sharesOf((pixels) => pixels.at(-1)!)).toEqual(["3: 100.0", "3: 100.0", "3: 100.0"])
  expect(await sharesOf((pixels) => pixels[0]!)).toEqual(["3: 100.0", "3: 0.0", "3: 0.0"])
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
