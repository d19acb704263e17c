import { BadData, jsonFile, jsonLinesFile, namedFiles } from "@millrace/core"
import { Effect, Schema } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

const where = "kind/value.json"
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const refusal = <A>(work: Effect.Effect<A, BadData>): BadData => {
  const error = Effect.runSync(Effect.flip(work))
  expect(error).toBeInstanceOf(BadData)
  return error
}

const Point = Schema.Struct({ x: Schema.Int, y: Schema.Int, name: Schema.optionalKey(Schema.String) })
const words = jsonFile(Schema.Record(Schema.String, Schema.Finite))

test("a record has any keys but __proto__, and what every object has is not among them", () => {
  const keys = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("constructor", "prototype", "toString", "valueOf"),
  )
  fc.assert(
    fc.property(fc.dictionary(keys, fc.double({ noNaN: true, noDefaultInfinity: true })), (value) => {
      fc.pre(!Object.hasOwn(value, "__proto__"))
      const file = words.write(value)
      const read = Effect.runSync(words.read({ where, bytes: file }))
      expect(Object.keys(read).sort()).toEqual(Object.keys(value).sort())
      expect(words.write(read)).toEqual(file)
    }),
  )
  expect(refusal(words.read({ where, bytes: bytes('{"__proto__":1}') })).expected).toBe("an ordinary key")
})

test("every mismatch with the schema is told at once, an unknown key with the one that was meant", () => {
  const file = { where, bytes: bytes('{"nmae":"a","x":0.5}') }
  expect(refusal(jsonFile(Point).read(file)).message).toMatchInlineSnapshot(`
    "BadData in kind/value.json
      expected  x: an integer
                y: required
      received  nmae: unknown key
                x: 0.5
                y: missing
      fix       nmae: did you mean "name"?"
  `)
})

test.each([
  ["white space", '{"x":1, "y":2}', "other text, from character 8 on"],
  ["another order of keys", '{"y":2,"x":1}', "other text, from character 3 on"],
  ["another form of a number", '{"x":1.0,"y":2}', "other text, from character 7 on"],
  ["an escape that is not needed", '{"name":"\\u0061","x":1,"y":2}', "other text, from character 10 on"],
  ["a byte order mark", '\uFEFF{"x":1,"y":2}', "\uFEFF"],
])("a text with %s is refused, since the value has one text alone", (_, text, received) => {
  expect(refusal(jsonFile(Point).read({ where, bytes: bytes(text) })).received).toContain(received)
})

test("bytes that are not UTF-8 are refused", () => {
  const file = Uint8Array.of(0x22, 0xff, 0x22)
  expect(refusal(jsonFile(Schema.String).read({ where, bytes: file })).expected).toBe("UTF-8")
})

test("lines are counted from 1, and the last one ends in a line break too", () => {
  const points = jsonLinesFile(Point)
  expect(Effect.runSync(points.read({ where, bytes: new Uint8Array(0) }))).toEqual([])
  const wrong = refusal(points.read({ where, bytes: bytes('{"x":1,"y":2}\n{"x":1,"y":"2"}\n') }))
  expect([wrong.where, wrong.received]).toEqual(["kind/value.json:2", 'y: "2"'])
  const cut = refusal(points.read({ where, bytes: bytes('{"x":1,"y":2}\n{"x":1,"y":2}') }))
  expect(cut.expected).toBe("a line break after the last line")
})

test("files are all that were named: what is missing and what has no place are told together", () => {
  const files = { "a.json": bytes("1"), constructor: bytes("2"), more: bytes("3") }
  expect(refusal(namedFiles(files, "kind", ["a.json", "b.json", "toString"])).message).toMatchInlineSnapshot(`
    "BadData in kind
      expected  the files a.json, b.json, toString
      received  b.json: missing
                toString: missing
                "constructor": not one of them
                "more": not one of them
      fix       give the files as they were written, all of them and no others"
  `)
  const found = Effect.runSync(namedFiles({ "a.json": bytes("1") }, "kind", ["a.json"]))
  expect(found["a.json"]).toEqual({ where: "kind/a.json", bytes: bytes("1") })
})
