/** The report as a reader has it: opened from disk in a browser, by mouse, touch and keys, in both colours. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  graphFactsOfJson,
  type ReportInput,
  type RunEvent,
  renderComparison,
  renderReport,
  storyOf,
} from "@millrace/core"
import { afterAll, expect, test } from "vitest"
import { recordedEnvironment, recordedEvents, recordedGraph } from "../fixtures/recordedRun.js"
import { ask, closeBrowser, missing, type Opened, open } from "./browser.js"

const folder = mkdtempSync(join(tmpdir(), "millrace-report-"))
afterAll(async () => {
  await closeBrowser()
  rmSync(folder, { recursive: true })
})

const last = recordedEvents.at(-1)!
const extra: ReadonlyArray<RunEvent> = [
  {
    type: "stage.samples",
    stage: "evaluate",
    columns: ["prompt", "answer"],
    rows: Array.from({ length: 12 }, (_, i) => [`prompt ${i}`, i % 3 === 0 ? "<b>fellow</b> citizens" : "the union"]),
  },
]

const objective = graphFactsOfJson({
  name: "language-modelling",
  inputs: { tokens: { dtype: "int32", axes: "b t", unit: "token" } },
  nodes: [{ name: "logits", node: "gpt.logits@1", config: { width: 64 }, wires: { tokens: "tokens" } }],
  outputs: "logits",
})

const input = (rename = (name: string): string => name): ReportInput => ({
  graph: {
    ...graphFactsOfJson(recordedGraph("instructgpt", rename)),
    functions: new Map([
      [
        rename("sft"),
        [{ name: "step", graph: objective, kernels: [{ kernel: "BatchMatMul", count: 12, flops: 3e9 }] }],
      ],
    ]),
  },
  story: storyOf([
    ...recordedEvents.slice(0, -1),
    ...extra.map((event, i) => ({ ...event, sequence: 1e6 + i, secondsSinceStart: last.secondsSinceStart })),
    last,
  ]),
  seed: "7",
  environment: recordedEnvironment,
})

let files = 0
const write = (page: string): string => {
  const file = join(folder, `report-${files++}.html`)
  writeFileSync(file, page)
  return file
}

const report = missing === null ? write(renderReport(input())) : ""
const inBrowser = test.skipIf(missing !== null)

const zoomOf = async ({ page }: Opened): Promise<number> =>
  Number.parseInt((await page.locator(".zooms output").textContent()) ?? "", 10)
const viewOf = async ({ page }: Opened): Promise<string | null> =>
  page.locator(".drawing:not([hidden]) svg").getAttribute("viewBox")
const finish = async ({ page, complaints }: Opened): Promise<void> => {
  expect(complaints).toEqual([])
  await page.context().close()
}

test.runIf(missing !== null)("without a browser the reports are looked at by no one, and why is said", () => {
  expect(missing).toMatch(/^there is no |does not start/)
  process.stdout.write(`The report was opened in no browser: ${missing}. Set MILLRACE_CHROMIUM to a Chromium.\n`)
})

inBrowser("opens from disk in both colours, loads nothing, and complains of nothing", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const opened = await open(report, { colorScheme })
    const { page } = opened
    expect(await page.title()).toContain("instructgpt")
    await page.waitForSelector(".u-over")
    expect(await page.locator(".uplot").count()).toBeGreaterThan(8)
    const ground = await ask<string>(opened, "getComputedStyle(document.documentElement).backgroundColor")
    expect(ground).toBe(colorScheme === "light" ? "rgb(251, 251, 249)" : "rgb(18, 22, 23)")
    await finish(opened)
  }
})

inBrowser("the graph is zoomed by wheel, buttons and keys, moved by mouse and keys, and fitted again", async () => {
  const opened = await open(report)
  const { page } = opened
  const start = await zoomOf(opened)
  const canvas = (await page.locator(".canvas").boundingBox())!
  await page.mouse.move(canvas.x + 200, canvas.y + 40)
  // A wheel that is not meant for the drawing scrolls the page.
  await page.mouse.wheel(0, 60)
  await expect.poll(() => ask<number>(opened, "scrollY")).toBe(60)
  expect(await zoomOf(opened)).toBe(start)
  await ask(opened, "scrollTo(0, 0)")
  await page.keyboard.down("Control")
  await page.mouse.wheel(0, -60)
  await page.keyboard.up("Control")
  await expect.poll(() => zoomOf(opened)).toBeGreaterThan(start)
  await page.getByRole("button", { name: "Zoom out" }).click()
  await page.getByRole("button", { name: "Zoom in" }).click()
  await page.locator(".canvas").focus()
  const zoomed = await zoomOf(opened)
  await page.keyboard.press("+")
  expect(await zoomOf(opened)).toBeGreaterThan(zoomed)
  for (const act of [
    () => page.keyboard.press("ArrowRight"),
    async () => {
      await page.mouse.move(canvas.x + 20, canvas.y + 20)
      await page.mouse.down()
      await page.mouse.move(canvas.x + 90, canvas.y + 60, { steps: 4 })
      await page.mouse.up()
    },
  ]) {
    const before = await viewOf(opened)
    await act()
    expect(await viewOf(opened)).not.toBe(before)
  }
  await page.getByRole("button", { name: "Fit" }).click()
  const [x = 1, y = 1, width = 0, height = 0] = (await viewOf(opened))?.split(" ").map(Number) ?? []
  const svg = page.locator(".drawing:not([hidden]) svg")
  expect(Math.max(x, y)).toBeLessThanOrEqual(0)
  expect(x + width).toBeGreaterThanOrEqual(Number(await svg.getAttribute("width")))
  expect(y + height).toBeGreaterThanOrEqual(Number(await svg.getAttribute("height")))
  await finish(opened)
})

inBrowser("two fingers zoom the graph on a phone, whose page is no wider than its screen", async () => {
  const opened = await open(report, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const { page } = opened
  expect(await ask<number>(opened, "document.documentElement.scrollWidth")).toBeLessThanOrEqual(390)
  await page.locator(".canvas").scrollIntoViewIfNeeded()
  const box = (await page.locator(".canvas").boundingBox())!
  const start = await zoomOf(opened)
  const session = await page.context().newCDPSession(page)
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", apart: number) =>
    session.send("Input.dispatchTouchEvent", {
      type,
      touchPoints:
        type === "touchEnd"
          ? []
          : [-1, 1].map((side, id) => ({ x: box.x + box.width / 2 + side * apart, y: box.y + 120, id })),
    })
  await touch("touchStart", 30)
  for (const apart of [40, 60, 80]) await touch("touchMove", apart)
  await touch("touchEnd", 0)
  expect(await zoomOf(opened)).toBeGreaterThan(start * 1.5)
  await finish(opened)
})

inBrowser("a stage opens by click and by key with its config and digest, and closes back to where it was", async () => {
  const opened = await open(report)
  const { page } = opened
  await page.locator('.canvas a[data-path="ppo"]').click()
  const detail = page.locator(".detail.open")
  expect(await detail.locator("h3").textContent()).toBe("ppo")
  const text = await detail.textContent()
  for (const part of ["fit.schedule.kind", "cosine", "Cache", "SHA-256"]) expect(text).toContain(part)
  await page.keyboard.press("Escape")
  expect(await page.locator(".detail.open").count()).toBe(0)
  expect(await ask(opened, "document.activeElement.dataset.path")).toBe("ppo")
  await page.locator('.canvas a[data-path="sft"]').focus()
  await page.keyboard.press("Enter")
  expect(await ask(opened, "document.activeElement.querySelector('h3')?.textContent")).toBe("sft")
  await finish(opened)
})

inBrowser("from a stage one goes to its objective, to a node in it, to its program, and back", async () => {
  const opened = await open(report)
  const { page } = opened
  await page.locator('.canvas a[data-path="sft"]').click()
  await page.getByRole("button", { name: /^Objective/ }).click()
  expect(await page.locator(".trail").textContent()).toBe("instructgpt› sft › step")
  await page.locator('.drawing:not([hidden]) a[data-path="logits"]').click()
  expect(await page.locator(".detail.open").textContent()).toContain("gpt.logits@1")
  await page.locator(".trail button").click()
  await page.locator('.canvas a[data-path="sft"]').click()
  await page.getByRole("button", { name: /^Program/ }).click()
  expect(await page.locator(".drawing:not([hidden])").textContent()).toContain("BatchMatMul")
  await page.keyboard.press("Escape")
  expect(await page.locator('.canvas a[data-path="sft"]').isVisible()).toBe(true)
  await finish(opened)
})

inBrowser(
  "curves tell the value at the pointer and the keys, smooth by a slider, and mark what is not finite",
  async () => {
    const opened = await open(report)
    const { page } = opened
    const curve = page.locator('.curve[data-value="loss"]').first()
    await curve.scrollIntoViewIfNeeded()
    const rest = await curve.locator("output").textContent()
    await curve.locator(".plot").focus()
    await page.keyboard.press("ArrowLeft")
    await expect.poll(() => curve.locator("output").textContent()).toMatch(/^step [\d,]+: [\d.]+ mean [\d.]+$/)
    const smoothed = await curve.locator("output").textContent()
    await page.locator("#smooth").fill("0")
    await expect.poll(() => curve.locator("output").textContent()).toBe(rest)
    await curve.locator(".plot").focus()
    await page.keyboard.press("ArrowLeft")
    await expect.poll(() => curve.locator("output").textContent()).toMatch(/^step [\d,]+: [\d.]+$/)
    expect(smoothed).not.toBe(await curve.locator("output").textContent())
    await page.locator("#log").check()
    // The colour of a mark, whole.
    const red = await ask<number>(
      opened,
      `[...document.querySelectorAll(".curve canvas")].filter((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
      return data.some((_, i) => i % 4 === 0 && [168, 40, 31, 255].every((part, k) => data[i + k] === part))
    }).length`,
    )
    expect(red).toBeGreaterThan(0)
    expect(red).toBeLessThan(await page.locator(".curve canvas").count())
    await finish(opened)
  },
)

inBrowser("a filter leaves the samples that have all its words", async () => {
  const opened = await open(report)
  const { page } = opened
  const field = page.getByRole("searchbox", { name: "Filter the samples" }).first()
  const rows = page.locator("#stage-4 .samples tbody tr")
  await field.fill("FELLOW prompt")
  expect(await rows.filter({ visible: true }).count()).toBe(4)
  await field.fill("nothing has this")
  expect(await rows.filter({ visible: true }).count()).toBe(0)
  await field.fill("")
  expect(await rows.filter({ visible: true }).count()).toBe(12)
  await finish(opened)
})

inBrowser("the colours that are chosen stay when the page is opened again", async () => {
  const opened = await open(report, { colorScheme: "light" })
  const { page } = opened
  const ground = () => ask<string>(opened, "getComputedStyle(document.documentElement).backgroundColor")
  const light = await ground()
  await page.locator("label", { hasText: "Dark" }).click()
  const dark = await ground()
  expect(dark).not.toBe(light)
  await page.reload()
  expect(await ground()).toBe(dark)
  expect(await page.getByRole("radio", { name: "Dark" }).isChecked()).toBe(true)
  await page.getByRole("radio", { name: "Dark" }).press("ArrowLeft")
  expect(await ground()).toBe(light)
  await finish(opened)
})

inBrowser("the first Tab skips to the results, and all that takes a click or a key has a name", async () => {
  const opened = await open(report)
  const { page } = opened
  await page.keyboard.press("Tab")
  expect(await ask(opened, "document.activeElement.textContent")).toBe("Skip to the results")
  const nameless = await ask(
    opened,
    `[...document.querySelectorAll("a, button, input, [tabindex='0'], svg[role], article, section.viewer, aside")]
      .filter((element) => {
        const by = element.getAttribute("aria-labelledby")
        const name = element.getAttribute("aria-label")
          ?? (by === null ? element.textContent : document.getElementById(by).textContent)
        return (name + (element.labels?.[0]?.textContent ?? "")).trim() === ""
      })
      .map((element) => element.outerHTML.slice(0, 80))`,
  )
  expect(nameless).toEqual([])
  const heads = await page.locator("table:not(.grid) th:not([scope])").count()
  expect(heads).toBe(0)
  await finish(opened)
})

inBrowser("without scripts the graph is there, and its stages still open", async () => {
  const opened = await open(report, { javaScriptEnabled: false })
  const { page } = opened
  await page.locator('.canvas a[data-path="ppo"]').click()
  expect(await page.locator(".detail").filter({ visible: true }).locator("h3").allTextContents()).toEqual(["ppo"])
  expect(await page.locator(".bar, .theme, .filter").filter({ visible: true }).count()).toBe(0)
  await page.context().close()
})

inBrowser("names, prompts and captions that are HTML are shown as they are, and do nothing", async () => {
  const hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
  const story = storyOf([
    { type: "run.started", run: hostile, graph: "", stages: [`${hostile}sft`], sequence: 0, secondsSinceStart: 0 },
    { type: "stage.started", stage: `${hostile}sft`, node: hostile, sequence: 1, secondsSinceStart: 1 },
    { type: "stage.note", stage: `${hostile}sft`, text: hostile, sequence: 2, secondsSinceStart: 1 },
    { type: "stage.failed", stage: `${hostile}sft`, error: hostile, sequence: 3, secondsSinceStart: 1 },
  ])
  const opened = await open(write(renderReport({ ...input((name) => hostile + name), story, seed: hostile })))
  const { page } = opened
  expect(await page.title()).toContain("<img src=x")
  expect(await page.locator("img").count()).toBe(0)
  await page.locator(".canvas a").first().click()
  expect(await page.locator(".detail.open h3").textContent()).toBe(`${hostile}sft`)
  expect(await page.title()).not.toBe("taken")
  await finish(opened)
})

inBrowser("a comparison opens in a browser, draws both runs, and complains of nothing", async () => {
  const nodes = recordedGraph()
  const a = {
    ...input(),
    graph: nodes.name,
    nodes,
    engine: "onnx",
    metrics: [{ stage: "sft", name: "loss", value: 1 }],
  }
  const b = { ...a, seed: "8", metrics: [{ stage: "sft", name: "loss", value: 2 }] }
  const opened = await open(write(renderComparison(a, b)))
  const { page } = opened
  expect(await page.locator(".verdict").textContent()).toContain("differ in seed")
  await page.waitForSelector(".u-over")
  expect(await page.locator(".curve output .second").count()).toBeGreaterThan(8)
  await finish(opened)
})
