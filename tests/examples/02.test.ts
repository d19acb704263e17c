import { main } from "@millrace/examples/02-train-gpt"
import { expect, test } from "vitest"

test("the loss falls from that of guessing to 0.2, and the sample begins with the prompt and reads like the text", async () => {
  const lines: Array<string> = []
  await main((line) => lines.push(line))
  expect(lines.map((line) => line.replace(/loss .*/, "loss"))).toEqual([
    "step 1: loss",
    "step 51: loss",
    "step 101: loss",
    "step 150: loss",
    expect.stringMatching(/^"The river/),
  ])
  const losses = lines.slice(0, 4).map((line) => Number(/loss ([\d.]+)/.exec(line)?.[1]))
  expect(losses[0]).toBeCloseTo(Math.log(280), 1)
  expect([...losses].sort((a, b) => b - a)).toEqual(losses)
  expect(losses[3]).toBeLessThan(0.3)
  expect(JSON.parse(lines[4]!)).toMatch(/ the (wheel|mill|river|shaft|stone|corn|flour|gate|miller|race)/)
})
