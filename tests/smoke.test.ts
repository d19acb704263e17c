import { ShapeMismatch } from "@millrace/core"
import { expect, test } from "vitest"

test("an error renders in five lines", () => {
  const error = new ShapeMismatch({ where: "a > b", expected: "x", received: "y", fix: "z", replay: "seed 1" })
  expect(error.message.split("\n")).toHaveLength(5)
})
