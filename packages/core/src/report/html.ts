/** HTML by template, escaped unless it is HTML already. */

/** Text that is HTML. Only `html` and `trusted` make it. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
}

/** Control characters have no place in HTML, and bidirectional overrides could show a text as another. */
const unprintable = /(?![\t\n\r])\p{Cc}|[\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu

const escapeHtml = (text: string): string =>
  text.replace(unprintable, "\uFFFD").replace(/[&<>"'`]/g, (character) => entities[character] ?? character)

/** Text that the program itself wrote as HTML. Never for anything that came from a run. */
export const trusted = (text: string): Html => new Html(text)

type Part = Html | string | number | undefined | ReadonlyArray<Html>

const show = (part: Part): string => {
  if (part === undefined) return ""
  if (part instanceof Html) return part.text
  if (typeof part === "object") return part.map(({ text }) => text).join("")
  return escapeHtml(String(part))
}

/** html`<b>${name}</b>` */
export const html = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Html =>
  new Html(strings.map((text, i) => text + (i < parts.length ? show(parts[i]) : "")).join(""))

/** JSON for the inside of a script element: no character of it can end the element. */
export const scriptJson = (value: unknown): Html =>
  new Html(
    JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`),
  )
