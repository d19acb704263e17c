import { trainBpe } from "@millrace/models"
import { captionRows, captionText, captionTokenizerStage } from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { shapeImages } from "./images.js"
import { stageRunner } from "./onStage.js"

const on = stageRunner()
const images = shapeImages(8, 2)
const tokenizer = async () => (await on(captionTokenizerStage({ vocab: 310 }).run({ images }))).result

test("the tokenizer of captions has the vocabulary asked for, end-of-text the largest, and knows their words whole", async () => {
  const made = await tokenizer()
  expect(made.size).toBe(310)
  expect(made.endOfText).toBe(309)
  expect(made.encode(captionText("A Red\n Circle"))).toHaveLength(3)
  expect(made.decode(made.encode(captionText("A Red\n Circle")))).toBe(" a red circle")
})

test("a word is one token wherever it stands in a caption", async () => {
  const { encode } = await tokenizer()
  const [red] = encode(captionText("red square"))
  expect([...encode(captionText("a picture of a red"))].at(-1)).toBe(red)
})

test("a row holds the end of text once, zeros after it, nothing larger before it, and of a long caption the first tokens", async () => {
  const made = await Effect.runPromise(trainBpe(["some text, some more text"], { vocab: 262 }))
  const context = fc.integer({ min: 1, max: 12 })
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 4 }), context, (captions, t) => {
      const { shape, data } = captionRows(made, captions, t)
      expect(shape).toEqual([captions.length, t])
      for (const [i, caption] of captions.entries()) {
        const row = [...data.subarray(i * t, (i + 1) * t)]
        const end = row.indexOf(made.endOfText)
        expect(end).toBe(row.lastIndexOf(made.endOfText))
        expect(Math.max(...row)).toBe(made.endOfText)
        expect(row.slice(end + 1).every((token) => token === 0)).toBe(true)
        const whole = [...made.encode(captionText(caption))]
        expect(row.slice(0, end)).toEqual(whole.slice(0, t - 1))
      }
    }),
  )
})

test("a special token's name in a caption does not end it", async () => {
  const made = await tokenizer()
  const { data } = captionRows(made, ["a <|endoftext|> b"], 32)
  expect([...data].filter((token) => token === made.endOfText)).toHaveLength(1)
})

test("more tokens than the captions have pairs for are refused with the largest vocabulary that they give", async () => {
  const { result } = await on(Effect.flip(captionTokenizerStage({ vocab: 5000 }).run({ images })))
  expect(result).toMatchObject({ _tag: "BadLength", fix: expect.stringMatching(/vocabulary of \d+/) })
})
