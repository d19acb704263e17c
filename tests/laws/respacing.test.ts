import { BadConfig } from "@millrace/core"
import { noiseSchedule, noiseScheduleOf, respace, spacedSteps } from "@millrace/models"
import { expect, test } from "vitest"
import { broken, verify } from "./law.js"
import { type Respacing, respacingLaws } from "./respacingLaws.js"

const respacing: Respacing = { spaced: spacedSteps, respace }
verify("spacedSteps and respace", respacingLaws(respacing, noiseSchedule))

test("the named spacings are those of the published samplers", () => {
  expect(spacedSteps(1000, "ddim25")).toEqual(Array.from({ length: 25 }, (_, i) => 40 * i))
  expect(spacedSteps(10, "3")).toEqual([0, 4, 9])
  expect(spacedSteps(300, "10,15,20")).toHaveLength(45)
  const fast = spacedSteps(1000, "fast27")
  expect(fast).toHaveLength(27)
  // 199 / 9 = 22.1 apart, then from 200 on again; two of a section are its ends.
  expect(fast.slice(0, 10)).toEqual([0, 22, 44, 66, 88, 111, 133, 155, 177, 199])
  expect(fast.slice(10, 12)).toEqual([200, 222])
  expect(fast.slice(20)).toEqual([400, 500, 599, 600, 799, 800, 997])
})

test.each(["ddim0", "ddim999", "0", "", "5,", "11,1", "1.5", "-3", "fast28", "10,10,3,2,2,x"])(
  "the spacing %j of 20 steps is refused",
  (spacing) => {
    expect(() => spacedSteps(20, spacing)).toThrow(BadConfig)
  },
)

test.each([[[]], [[1, 1]], [[2, 1]], [[-1]], [[0.5]], [[40]]])("the steps %j of 40 are refused", (steps) => {
  expect(() => respace(noiseSchedule({ kind: "cosine", steps: 40 }), steps)).toThrow(BadConfig)
})

// --- broken ones

const withSpaced = (spaced: Respacing["spaced"]): Respacing => ({ ...respacing, spaced })
const respacingMutants: ReadonlyArray<readonly [string, Respacing, string]> = [
  [
    "that leaves the last step out",
    withSpaced((n, s) => spacedSteps(n, s).slice(0, -1)),
    "as many steps stay as were asked for, rising, each within its section",
  ],
  [
    "that rounds down and to the first",
    withSpaced((n, s) =>
      /^\d+$/.test(s) && Number(s) > 2
        ? Array.from({ length: Number(s) }, (_, i) => (i < Number(s) - 1 ? i : n - 1))
        : spacedSteps(n, s),
    ),
    "the steps of a section lie evenly, to half a step",
  ],
  [
    "whose DDIM steps begin at 1",
    withSpaced((n, s) => spacedSteps(n, s).map((t) => t + 1)),
    "ddim keeps every k-th step from the first",
  ],
  [
    "that keeps the β of the kept steps",
    {
      ...respacing,
      respace: (s, kept) =>
        noiseScheduleOf(
          kept.map((t) => s.beta[t]!),
          kept.map((t) => s.times[t]!),
        ),
    },
    "a kept step's ᾱ stays what it was, and its network is told the time it was",
  ],
  [
    "that drops the first step",
    { ...respacing, respace: (s, kept) => (kept.length > 1 ? respace(s, kept.slice(1)) : respace(s, kept)) },
    "keeping all changes nothing",
  ],
  [
    "that forgets the times of the schedule that it is given",
    { ...respacing, respace: (s, kept) => ({ ...respace(s, kept), times: Int32Array.from(kept) }) },
    "respacing twice is respacing once by what is left",
  ],
]
test.each(respacingMutants)("a respacing %s breaks a law", (_, broke, name) => {
  expect(broken(respacingLaws(broke, noiseSchedule))).toContain(name)
})

test("every law of respacing refuses one of them", () => {
  expect(new Set(respacingMutants.map(([, , name]) => name))).toEqual(
    new Set(respacingLaws(respacing, noiseSchedule).map(({ name }) => name)),
  )
})
