import { isDeepStrictEqual } from "node:util"
import { BadData, canonicalJson, jsonHash, parseJson } from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

const parse = (text: string) => Effect.runSync(parseJson(text, "config.json"))
const refusal = (text: string): BadData => Effect.runSync(Effect.flip(parseJson(text, "config.json")))

/** Values that JSON can hold: well-formed texts, finite numbers, ordinary keys. */
const texts = fc.string({ unit: fc.constantFrom(...'ab"\\/\n\t\u0000\u001f\u007f\u2028é€\ufb33😀') })
const { tree: values } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "medium" },
    fc.constantFrom(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    texts,
    fc.array(tie("tree")),
    fc.dictionary(texts, tie("tree"), { noNullPrototype: true }),
  ),
}))

/** The same value with every record's keys in reverse. */
const reversed = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(reversed)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([name, item]) => [name, reversed(item)]),
        )
      : value

test("a value's text reads back as the value, with -0 as 0", () => {
  fc.assert(
    fc.property(values, (value) => {
      const text = canonicalJson(value)
      expect(parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(parse(text))).toBe(text)
    }),
  )
})

test("the order of keys changes neither text nor hash", () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))
      expect(jsonHash(reversed(value))).toBe(jsonHash(value))
    }),
  )
})

test("two values have one text only where they are equal", () => {
  const unsigned = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) // -0 is written as 0
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(canonicalJson(a) === canonicalJson(b)).toBe(isDeepStrictEqual(unsigned(a), unsigned(b)))
    }),
  )
})

// RFC 8785: the example of section 3.2.2, the order of section 3.2.3, and numbers of appendix B.
test("the examples of RFC 8785 have the texts that it gives", () => {
  const example = {
    numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
    literals: [null, true, false],
  }
  expect(canonicalJson(example)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
  const sorted = { "€": 0, "\r": 1, "\ufb33": 2, "1": 3, "😀": 4, "\u0080": 5, ö: 6 }
  expect(canonicalJson(sorted)).toBe('{"\\r":1,"1":3,"\u0080":5,"ö":6,"€":0,"😀":4,"\ufb33":2}')
  for (const [number, text] of [
    [-0, "0"],
    [5e-324, "5e-324"],
    [Number.MAX_VALUE, "1.7976931348623157e+308"],
    [295147905179352830000, "295147905179352830000"],
    [999999999999999900000, "999999999999999900000"],
    [1e21, "1e+21"],
    [1e-7, "1e-7"],
    [0.000001, "0.000001"],
  ] as const) {
    expect(canonicalJson(number)).toBe(text)
  }
})

const cycle: { self?: unknown } = {}
cycle.self = [cycle]
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

test.each([
  ["NaN", { a: [1, Number.NaN] }, "$.a[1]"],
  ["an infinity", Number.NEGATIVE_INFINITY, "$"],
  ["undefined", { a: { b: undefined } }, "$.a.b"],
  ["a hole in an array", new Array(1), "$[0]"],
  ["a bigint", { a: 1n }, "$.a"],
  ["a function", { toJSON: () => 1 }, "$.toJSON"],
  ["a Date", { at: new Date(0) }, "$.at"],
  ["a Map", new Map(), "$"],
  ["a typed array", { a: Float32Array.of(1) }, "$.a"],
  ["a symbol as key", { [Symbol("s")]: 1 }, "$"],
  ["a lone surrogate", { a: "\ud83d" }, "$.a"],
  ["a lone surrogate in a key", { "\ude00": 1 }, "$"],
  ["a cycle", cycle, "$.self[0]"],
  ["65 levels", nested(65), `$${"[0]".repeat(64)}`],
])("%s has no text, and the error says where it is", (_, value, where) => {
  try {
    canonicalJson(value)
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(BadData)
    expect((error as BadData).where).toBe(where)
  }
})

test("64 levels are written and read, and one object may stand in two places", () => {
  expect(parse(canonicalJson(nested(64)))).toEqual(nested(64))
  const shared = { a: 1 }
  expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]')
})

test.each([
  ["a repeated key", '{"a": 1,\n "b": 2, "a": 3}', "config.json:2:10", "each key once"],
  ["a key repeated by an escape", '{"a": 1, "\\u0061": 3}', "config.json:1:10", "each key once"],
  ["__proto__", '{"x": [{"__proto__": {}}]}', "config.json:1:9", "an ordinary key"],
  ["65 levels", "[".repeat(65), "config.json:1:65", "at most 64 levels"],
  ["a million levels", '{"a":'.repeat(1_000_000), "config.json:1:321", "at most 64 levels"],
  ["a number beyond a double", "[1e999]", "config.json:1:2", "a number that a double can hold"],
  ["an empty text", "", "config.json:1:1", "a JSON value"],
  ["a comma at the end", "[1,]", "config.json:1:4", "a JSON value"],
  ["a second value", "{} {}", "config.json:1:4", "the end of the text"],
])("%s is refused, with line and column", (_, text, where, expected) => {
  const error = refusal(text)
  expect(error.where).toBe(where)
  expect(error.expected).toBe(expected)
})

test("on any text, the reader agrees with JSON.parse or refuses what it means to refuse", () => {
  const signs = fc.string({
    unit: fc.constantFrom(...'{}[]",:-+0123456789.eEtrufalsn\\ \n\u00a0\ufeff'),
    maxLength: 12,
  })
  const edited = fc.tuple(values, fc.nat(), signs).map(([value, at, sign]) => {
    const text = canonicalJson(value)
    return text.slice(0, at % (text.length + 1)) + sign + text.slice((at % (text.length + 1)) + 1)
  })
  fc.assert(
    fc.property(fc.oneof(signs, edited), (text) => {
      const ours = Effect.runSync(
        parseJson(text, "x").pipe(
          Effect.map((value) => ({ value })),
          Effect.catchTag("BadData", (error) => Effect.succeed(error.expected)),
        ),
      )
      let theirs: unknown
      try {
        theirs = { value: JSON.parse(text) }
      } catch {
        expect(ours).toBeTypeOf("string")
        return
      }
      if (typeof ours === "string") {
        expect(["each key once", "an ordinary key", "a number that a double can hold"]).toContain(ours)
      } else expect(ours).toEqual(theirs)
    }),
    { numRuns: 3000 },
  )
})

test("a key that names a method of objects is data like any other", () => {
  expect(Object.entries(parse('{"constructor": 1, "toString": 2, "hasOwnProperty": 3}') as object)).toEqual([
    ["constructor", 1],
    ["toString", 2],
    ["hasOwnProperty", 3],
  ])
})
