/** The frame of every page that Millrace writes: policy, style, theme, the mark on top, the line at the foot. */
import { createHash } from "node:crypto"
import { type Html, html, scriptJson, trusted } from "./html.js"
import { themeScript } from "./themeScript.js"

export interface PageParts {
  readonly title: string
  /** What stands beside the mark. */
  readonly about: Html
  readonly header: Html
  readonly main: Html
  readonly skip: { readonly target: string; readonly text: string }
  /** One style for all. */
  readonly style: string
  /** Run at the end, in this order; they read `data`. */
  readonly scripts: ReadonlyArray<string>
  readonly data: unknown
  /** Whether there are images inside the page. */
  readonly images: boolean
}

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`

const mark = trusted(
  `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" aria-hidden="true"><circle cx="12" cy="12" r="7.2"/><circle cx="12" cy="12" r="1.6"/>${Array.from(
    { length: 8 },
    (_, i) => {
      const [x, y] = [Math.cos((i * Math.PI) / 4), Math.sin((i * Math.PI) / 4)]
      const at = (r: number): string => `${(12 + r * x).toFixed(2)} ${(12 + r * y).toFixed(2)}`
      return `<path d="M${at(3.2)}L${at(10.8)}"/>`
    },
  ).join("")}</svg>`,
)

const theme = html`<fieldset class="theme"><legend>Colours</legend>${["auto", "light", "dark"].map(
  (name) =>
    html`<input type="radio" name="theme" id="theme-${name}" value="${name}"${name === "auto" ? html` checked` : undefined}><label for="theme-${name}">${name[0]?.toUpperCase()}${name.slice(1)}</label>`,
)}</fieldset>`

/** The page as text. Its policy allows the scripts and the style that it has itself, by hash, and nothing else. */
export const page = ({ title, about, header, main, skip, style, scripts, data, images }: PageParts): string => {
  const policy = [
    "default-src 'none'",
    `script-src ${[themeScript, ...scripts].map(hashOf).join(" ")}`,
    `style-src ${hashOf(style)}`,
    ...(images ? ["img-src data:"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ")
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${trusted(style)}</style>
<script>${trusted(themeScript)}</script>
</head>
<body>
<a class="skip" href="#${skip.target}">${skip.text}</a>
<header>
<div class="top"><p class="mark">${mark}<span>${about}</span></p>${theme}</div>
${header}
</header>
<main>
${main}
</main>
<footer><p>Written by Millrace. This file loads nothing and can be kept or sent as it is. Curves are drawn by uPlot, MIT licence.</p></footer>
<script type="application/json" id="curves">${scriptJson(data)}</script>
${scripts.map((script) => html`<script>${trusted(script)}</script>\n`)}
</body>
</html>
`.text
}
