import { main } from "@millrace/examples/03-reward-model"
import { expect, test } from "vitest"

test("the loss falls from no opinion to nearly nothing, and unseen sentences are ranked by their good words", async () => {
  const lines: Array<string> = []
  await main((line) => lines.push(line))
  expect(lines).toHaveLength(8)
  const losses = lines.slice(0, 4).map((line) => Number(/loss ([\d.]+)/.exec(line)?.[1]))
  expect(Math.abs(losses[0]! - Math.log(2))).toBeLessThan(0.05)
  expect(losses[3]).toBeLessThan(0.05)
  expect(lines[3]).toMatch(/100 % right$/)
  const scores = Object.fromEntries(
    lines.slice(4).map((line) => {
      const [, score, text] = /^ *(-?[\d.]+) {2}(.*)$/.exec(line) ?? []
      return [text, Number(score)]
    }),
  )
  expect(scores["a good friend"]).toBeGreaterThan(scores["a bad friend"]!)
  expect(scores["we had good luck"]).toBeGreaterThan(scores["we had bad luck"]!)
})
