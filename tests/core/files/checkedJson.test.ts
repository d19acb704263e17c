import { checkedJson } from "@millrace/core"
import { Effect, Schema } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"

const file = checkedJson(Schema.Struct({ text: Schema.String, numbers: Schema.Array(Schema.Finite) }))
const value = fc.record({
  text: fc.string({ unit: "binary" }).filter((text) => !/\p{Surrogate}/u.test(text)),
  numbers: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x))),
})
const read = (bytes: Uint8Array) => Effect.runSync(Effect.result(file.read({ where: "file", bytes })))

test("a value comes back as it was written", () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(read(file.write(one))).toMatchObject({ _tag: "Success", success: one })
    }),
  )
})

test("no byte of it can be another, be missing or be added without BadData", () => {
  fc.assert(
    fc.property(value, fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.nat(9), (one, at, how) => {
      const bytes = file.write(one)
      const place = Math.floor(at * bytes.length)
      const other =
        how === 9
          ? bytes.slice(0, place)
          : how === 8
            ? Uint8Array.from([...bytes, 10])
            : bytes.map((byte, i) => (i === place ? byte ^ (1 << how) : byte))
      expect(read(other)).toMatchObject({ _tag: "Failure", failure: { _tag: "BadData" } })
    }),
    { numRuns: 500 },
  )
})
