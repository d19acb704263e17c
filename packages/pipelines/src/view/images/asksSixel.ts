/** Asks a terminal what it can do, in a way that cannot hang: whether it draws sixels. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import type { Screen } from "../ink.js"

/** What is needed of `process.stdin`. */
export interface Keyboard {
  readonly isTTY?: boolean | undefined
  readonly isRaw?: boolean | undefined
  setRawMode?(raw: boolean): unknown
  on(event: "data", listener: (bytes: Uint8Array | string) => void): unknown
  off(event: "data", listener: (bytes: Uint8Array | string) => void): unknown
  resume(): unknown
  pause(): unknown
}

/** Primary device attributes (DA1): every terminal since the VT100 answers `CSI ? class ; feature ; … c`. */
const question = "\u001b[c"
// biome-ignore lint/suspicious/noControlCharactersInRegex: the answer begins with one
const answer = /\u001b\[\?([\d;]+)c/
/** Feature 4 is sixel graphics. */
const sixel = "4"
const interrupt = "\u0003"

/** A process in the background that touches the terminal's mode is stopped by the system, until it is called to the front. */
export const isInForeground = (): boolean => {
  try {
    if (process.platform === "win32") return true
    if (process.platform !== "linux") {
      return execFileSync("ps", ["-o", "stat=", "-p", String(process.pid)], { encoding: "utf8" }).includes("+")
    }
    const fields = readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\) /s, "")
      .split(" ")
    const [group, foreground] = [fields[2], fields[5]]
    return group === foreground
  } catch {
    return false
  }
}

/**
 * Whether the terminal says that it draws sixels. It waits for its answer at most `limitMs`, and leaves the keyboard as it
 * was; no answer means no.
 */
export const asksSixel = (screen: Screen, keyboard: Keyboard, limitMs = 1000): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    if (screen.isTTY !== true || keyboard.isTTY !== true || keyboard.setRawMode === undefined) {
      resume(Effect.succeed(false))
      return
    }
    const wasRaw = keyboard.isRaw === true
    let heard = ""
    let over = false
    const end = (): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      keyboard.off("data", hear)
      keyboard.setRawMode?.(wasRaw)
      keyboard.pause()
    }
    const hear = (bytes: Uint8Array | string): void => {
      heard = (heard + (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1"))).slice(-1024)
      // In raw mode Ctrl-C is a character like any other.
      if (heard.includes(interrupt)) {
        end()
        process.kill(process.pid, "SIGINT")
        return
      }
      const found = answer.exec(heard)
      if (found === null) return
      end()
      resume(Effect.succeed((found[1] ?? "").split(";").slice(1).includes(sixel)))
    }
    const timer = setTimeout(() => {
      end()
      resume(Effect.succeed(false))
    }, limitMs)
    keyboard.setRawMode(true)
    keyboard.on("data", hear)
    keyboard.resume()
    screen.write(question)
    return Effect.sync(end)
  })
