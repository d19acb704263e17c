/** What is said of an emoji: its names in prompt templates. */
import type { Emoji } from "./emojiData.js"

/** Ways to say a name. `{name}` is the emoji's name or one of its short names, `{kind}` its subcategory. */
export const emojiTemplates = {
  name: "{name}",
  emoji: "an emoji of {name}",
  drawing: "a drawing of {name}",
  kind: "{name}, {kind}",
  kindOf: "{kind}: {name}",
} as const

export type EmojiTemplate = keyof typeof emojiTemplates

const tones: Readonly<Record<string, string>> = {
  "1F3FB": "light",
  "1F3FC": "medium-light",
  "1F3FD": "medium",
  "1F3FE": "medium-dark",
  "1F3FF": "dark",
}

/** `1F3FB-1F3FF` -> "light and dark skin tones" */
export const toneOf = (codes: string): string => {
  const names = [...new Set(codes.split("-").map((code) => tones[code] ?? code))]
  return `${names.join(" and ")} skin tone${names.length === 1 ? "" : "s"}`
}

const wordsOf = (shortName: string): string => shortName.toLowerCase().replaceAll(/[_-]+/g, " ").trim()

/** The name of each emoji, in small letters; the first short name where another emoji has the same name. */
export const conceptNames = (emoji: ReadonlyArray<Emoji>): ReadonlyArray<string> => {
  const times = new Map<string, number>()
  for (const { name } of emoji) times.set(name, (times.get(name) ?? 0) + 1)
  return emoji.map(({ name, short_name }) => (times.get(name) === 1 ? name.toLowerCase() : wordsOf(short_name)))
}

/** Every template with the concept's name, and the plain one with each short name that has other words. */
export const captionsOf = (
  emoji: Emoji,
  concept: string,
  templates: ReadonlyArray<EmojiTemplate>,
  tone: string | undefined,
): ReadonlyArray<string> => {
  const kind = emoji.subcategory.replaceAll("-", " ")
  const say = (template: string, name: string): string =>
    `${template.replace("{name}", name).replace("{kind}", kind)}${tone === undefined ? "" : `, ${tone}`}`
  const others = emoji.short_names.map(wordsOf).filter((name) => /\p{L}{2}/u.test(name) && name !== concept)
  return [
    ...new Set([
      ...templates.map((template) => say(emojiTemplates[template], concept)),
      ...others.map((name) => say("{name}", name)),
    ]),
  ]
}
