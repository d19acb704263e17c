/** One line of captions.jsonl: `{"file": "a.png", "caption": "a red apple", "class": "apple"}`. */
import { type BadData, parseJson } from "@millrace/core"
import { Effect } from "effect"
import { refused } from "./plainFile.js"

export interface CaptionLine {
  /** Relative to the folder, with slashes. */
  readonly file: string
  readonly captions: ReadonlyArray<string>
  readonly class?: string
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false })

/** Text that says something. */
const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== ""

/** UTF-8 as text, without blanks around it. */
export const textOf = (bytes: Uint8Array, where: string): Effect.Effect<string, BadData> =>
  Effect.try({ try: () => decoder.decode(bytes).trim(), catch: () => refused(where, "UTF-8", "other bytes") })

/**
 * Reads a line. `caption` is one text, `captions` several; other keys are left alone.
 * @fails  BadData  it is no such line
 */
export const captionLine = (bytes: Uint8Array, where: string): Effect.Effect<CaptionLine, BadData> =>
  Effect.gen(function* () {
    const value = yield* parseJson(yield* textOf(bytes, where), where)
    const line = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
    const { file, caption, captions = [caption], class: of } = line
    if (!isText(file) || !Array.isArray(captions) || captions.length === 0 || !captions.every(isText)) {
      const expected = '{"file": "a.png", "caption": "…"}, or "captions": ["…", …]'
      return yield* refused(where, expected, JSON.stringify(value).slice(0, 120))
    }
    if (of !== undefined && !isText(of)) return yield* refused(where, "a class that is a text", JSON.stringify(of))
    return { file, captions, ...(of === undefined ? {} : { class: of }) }
  })
