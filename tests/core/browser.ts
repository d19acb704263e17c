/** A Chromium for tests of pages, if there is one here: the one that MILLRACE_CHROMIUM names, or the system's own. */
import { existsSync } from "node:fs"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

const place = process.env.MILLRACE_CHROMIUM ?? "/usr/bin/chromium"

/** Chromium does not run as root inside its own sandbox; the pages are the tests' own. */
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : []

const start = async (): Promise<Browser | string> => {
  if (!existsSync(place)) return `there is no ${place}`
  try {
    return await chromium.launch({ executablePath: place, args, timeout: 30_000 })
  } catch (error) {
    return `${place} does not start: ${String(error).split("\n")[0]}`
  }
}

export interface Opened {
  readonly page: Page
  /** What the page complained of, and what it asked for besides itself. */
  readonly complaints: ReadonlyArray<string>
}

/** The browser, or why there is none. */
export const found = await start()

export const missing = typeof found === "string" ? found : null

/** Opens a file as a reader does, and keeps an ear on it. */
export const open = async (file: string, options: BrowserContextOptions = {}): Promise<Opened> => {
  if (typeof found === "string") throw new Error(found)
  const context = await found.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const complaints: Array<string> = []
  page.on("console", (message) => complaints.push(`console ${message.type()}: ${message.text()}`))
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`))
  page.on("request", (request) => {
    if (!request.url().startsWith("data:") && request.url().split("#")[0] !== `file://${file}`) {
      complaints.push(`request: ${request.url()}`)
    }
  })
  if (options.javaScriptEnabled !== false) {
    await page.addInitScript(`addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      console.error("policy: " + violatedDirective + " " + blockedURI)
    })`)
  }
  await page.goto(`file://${file}`)
  return { page, complaints }
}

/** The value of an expression in the page. */
export const ask = <A>({ page }: Pick<Opened, "page">, expression: string): Promise<A> => page.evaluate<A>(expression)

export const closeBrowser = async (): Promise<void> => {
  if (typeof found !== "string") await found.close()
}
