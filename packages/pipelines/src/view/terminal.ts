/** A run as the terminal shows it: one live region for a person, plain lines for a log. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import {
  emptyStory,
  printable,
  type RunStory,
  type Samples,
  type StageStory,
  type StampedEvent,
  showNumber,
  showSeconds,
  tell,
  textWidth,
} from "@millrace/core"
import { asyncScheduler, auditTime, interval, merge, type Observable, type SchedulerLike, Subscription } from "rxjs"
import type { ImageProtocol } from "./images/imageProtocol.js"
import { imagesText } from "./images/imagesText.js"
import { type ImagesEvent, newestImages } from "./images/newestImages.js"
import { inkFor, isLive, type Screen, type Variables } from "./ink.js"
import { type Pace, pace } from "./pace.js"
import { samplesText } from "./samplesText.js"

export interface ViewOptions {
  readonly screen: Screen
  readonly env: Variables
  readonly scheduler?: SchedulerLike
  /** How grids of images are shown, and the run folder that they are in, once it is there. Their paths by default. */
  readonly images?: { readonly protocol: ImageProtocol; readonly folder: () => string | undefined }
}

const redrawMs = 100
const widest = 120
const barWidth = 24
/** A plain line at least after this many seconds, … */
const quietSeconds = 10
/** … or after this part of the steps, but no faster than one a second. */
const quietPart = 0.05

/** Cuts a line to a width; the escape codes in it take none. */
const fit = (line: string, width: number): string => {
  let used = 0
  let out = ""
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes begin with one
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith("\u001b")) {
      out += part
      continue
    }
    for (const character of part) {
      const next = used + textWidth(character)
      if (next > width) continue
      out += character
      used = next
    }
  }
  return out
}

const rateText = (stage: StageStory, tempo: Pace): string | undefined => {
  const rate = tempo.rate()
  return rate === undefined ? undefined : `${showNumber(Number(rate.toPrecision(3)))} ${stage.unit}/s`
}

const headlineText = (tempo: Pace): string | undefined => {
  const headline = tempo.headline()
  return headline === undefined ? undefined : `${headline[0]} ${showNumber(headline[1])}`
}

/** What stays of a stage that has ended. */
const lastValues = (stage: StageStory): ReadonlyArray<string> => {
  const steps = stage.step === 0 ? [] : [`${stage.step.toLocaleString("en-US")} steps`]
  const values = Object.entries(stage.last).filter(([name]) => !/^learning-?rate$/i.test(name))
  return [...steps, ...values.slice(0, 4).map(([name, value]) => `${name} ${showNumber(value)}`)]
}

/**
 * Shows the events of a run on a screen until they complete or the subscription ends. It is told everything and draws at
 * most ten times a second; in a log it writes a line when a stage starts and ends and every ten seconds or 5 % between.
 */
export const showRun = (
  events: Observable<StampedEvent>,
  { screen, env, scheduler = asyncScheduler, images }: ViewOptions,
): Subscription => {
  const ink = inkFor(screen, env)
  const live = isLive(screen, env)
  const story: RunStory = emptyStory()
  const paces = new Map<string, Pace>()
  const told = new Map<string, { seconds: number; part: number }>()
  let drawn = 0
  let nameWidth = 0
  let clock = { events: 0, scheduler: scheduler.now() }

  const width = (): number => Math.min(widest, Math.max(20, (screen.columns || 80) - 1))
  const paceOf = (name: string): Pace => {
    const known = paces.get(name) ?? pace()
    paces.set(name, known)
    return known
  }
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[J`)
  const label = (name: string): string => printable(name).replaceAll("\n", " ").padEnd(nameWidth)

  /** Seconds since the run began, also between events. */
  const now = (): number => clock.events + (scheduler.now() - clock.scheduler) / 1000

  const running = (stage: StageStory): string => {
    const tempo = paceOf(stage.name)
    const elapsed = Math.max(0, now() - stage.startedAt)
    const left = tempo.left()
    const parts = [
      stage.steps > 0 ? `${stage.step.toLocaleString("en-US")}/${stage.steps.toLocaleString("en-US")}` : undefined,
      headlineText(tempo),
      rateText(stage, tempo),
      left === undefined || elapsed < 2 ? showSeconds(elapsed) : `${showSeconds(left)} left`,
    ].filter((part) => part !== undefined)
    const head = `${ink.cyan("▸")} ${ink.bold(label(stage.name))}  `
    const text = parts.join(ink.dim(" · "))
    // The bar takes what the words leave.
    const room = width() - nameWidth - 6 - textWidth(parts.join(" · "))
    const size = stage.steps === 0 || room < 6 ? 0 : Math.min(barWidth, room)
    const full = Math.round(Math.min(1, stage.step / Math.max(1, stage.steps)) * size)
    const bar = size === 0 ? "" : `${ink.cyan("━".repeat(full))}${ink.dim("─".repeat(size - full))}  `
    return fit(head + bar + text, width())
  }

  /** The live region: what runs now, and how far the run is. */
  const region = (): ReadonlyArray<string> => {
    const stages = [...story.stages.values()]
    return stages.filter(({ status }) => status === "running").map(running)
  }

  const redraw = (): void => {
    if (!live) return
    const lines = region()
    screen.write(erase() + lines.map((line) => `${line}\n`).join(""))
    drawn = lines.length
  }

  /** Writes lines that stay, above the live region. */
  const stay = (...lines: ReadonlyArray<string>): void => {
    screen.write(erase() + lines.map((line) => `${line}\n`).join(""))
    drawn = 0
    redraw()
  }

  const ended = (stage: StageStory): string => {
    if (stage.status === "cached") {
      const source = `cached: run ${printable(stage.from ?? "")} made it in ${showSeconds(stage.seconds)}`
      return fit(`${ink.green("✓")} ${ink.bold(label(stage.name))}  ${ink.dim(source)}`, live ? width() : widest)
    }
    const sign = stage.status === "done" ? ink.green("✓") : stage.status === "failed" ? ink.red("✗") : ink.yellow("■")
    const facts = [showSeconds(stage.seconds), ...lastValues(stage)].join(live ? ink.dim(" · ") : ", ")
    const state = stage.status === "done" ? "" : `${stage.status}  `
    return fit(`${sign} ${ink.bold(label(stage.name))}  ${state}${facts}`, live ? width() : widest)
  }

  const samples = (drawnNow: Samples): void => stay("", samplesText(drawnNow, width(), 3), "")

  const grids = newestImages()
  const drawing = (event: ImagesEvent): ReadonlyArray<string> | undefined => {
    const protocol = images?.protocol ?? "path"
    const folder = images?.folder()
    if (!live || protocol === "path" || protocol === "off" || folder === undefined) return undefined
    try {
      return imagesText(event, readFileSync(join(folder, event.file)), protocol, width())
    } catch {
      // A picture that cannot be read is no reason to end a run: its path is told.
      return undefined
    }
  }
  const showGrids = (shown: ReadonlyArray<ImagesEvent>): void => {
    if (images?.protocol === "off") return
    for (const event of shown) {
      const path = printable(join(images?.folder() ?? "", event.file)).replaceAll("\n", " ")
      stay(...(drawing(event) ?? [`  ${label(event.stage)}  images: ${path}`]))
    }
  }

  const progress = (stage: StageStory, seconds: number): void => {
    if (live) return
    const last = told.get(stage.name) ?? { seconds: stage.startedAt, part: 0 }
    const part = stage.steps > 0 ? stage.step / stage.steps : 0
    const passed = seconds - last.seconds
    if (passed < quietSeconds && (passed < 1 || part - last.part < quietPart)) return
    told.set(stage.name, { seconds, part })
    const tempo = paceOf(stage.name)
    const left = tempo.left()
    const facts = [
      `step ${stage.step.toLocaleString("en-US")} of ${stage.steps.toLocaleString("en-US")}`,
      headlineText(tempo),
      rateText(stage, tempo),
      left === undefined ? undefined : `${showSeconds(left)} left`,
    ].filter((fact) => fact !== undefined)
    stay(`  ${label(stage.name)}  ${facts.join(", ")}`)
  }

  const hear = (event: StampedEvent): void => {
    tell(story, event)
    clock = { events: event.secondsSinceStart, scheduler: scheduler.now() }
    if (event.type === "run.started" || event.type === "run.resumed") {
      nameWidth = Math.min(24, Math.max(0, ...event.stages.map((name) => textWidth(printable(name)))))
      const stages = `${event.stages.length} ${event.stages.length === 1 ? "stage" : "stages"}`
      const goesOn = event.type === "run.resumed" ? "  goes on" : ""
      stay(`${ink.bold(`run ${printable(event.run)}`)}  ${stages}${goesOn}`)
      return
    }
    if (event.type === "run.ended") {
      const sign = { done: ink.green("done"), failed: ink.red("failed"), stopped: ink.yellow("stopped") }[event.status]
      stay(`${ink.bold("run")} ${sign} after ${showSeconds(event.seconds)}`)
      return
    }
    const stage = story.stages.get(event.stage)
    if (stage === undefined) return
    // What a stage from the store told when it ran is for the report.
    if (stage.status === "cached") {
      if (event.type === "stage.cached") stay(ended(stage))
      return
    }
    switch (event.type) {
      case "stage.started":
        if (!live) stay(`▸ ${label(stage.name)}  started`)
        return
      case "stage.step":
        paceOf(event.stage).add(event)
        progress(stage, event.secondsSinceStart)
        return
      case "stage.note":
        stay(`  ${label(stage.name)}  ${printable(event.text).replaceAll("\n", "\n  ")}`)
        return
      case "stage.images":
        showGrids(grids.hear(event))
        return
      case "stage.ended":
      case "stage.failed": {
        const newest = stage.samples.at(-1)
        showGrids(grids.left(event.stage))
        stay(ended(stage))
        if (newest !== undefined && event.type === "stage.ended") samples(newest)
      }
    }
  }

  const subscription = new Subscription(() => {
    if (live && drawn > 0) screen.write(erase())
    drawn = 0
  })
  subscription.add(events.subscribe({ next: hear, complete: () => subscription.unsubscribe() }))
  if (live && !subscription.closed) {
    subscription.add(merge(events.pipe(auditTime(redrawMs, scheduler)), interval(1000, scheduler)).subscribe(redraw))
  }
  return subscription
}
