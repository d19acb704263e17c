/** Whether a file is the wheel that was pinned: nothing of it is looked at before its digest is. */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { basename } from "node:path"
import { BadData, type DiskFailed, diskFailed } from "@millrace/core"
import { Effect } from "effect"
import { type EnginePins, Pins, type Wheel } from "./pins.js"
import { waited } from "./waited.js"

const digest = async (path: string, signal: AbortSignal): Promise<string> => {
  const hash = createHash("sha256")
  for await (const part of createReadStream(path, { signal, highWaterMark: 2 ** 20 })) hash.update(part)
  return hash.digest("hex")
}

/** SHA-256 of a file, in hex. */
export const sha256OfFile = (path: string): Effect.Effect<string, DiskFailed> =>
  Effect.mapError(
    waited((signal) => digest(path, signal)),
    (error) => diskFailed(path, "a file that can be read", error),
  )

/** What a digest is known as, of any machine. */
const wheelOfDigest = (sha256: string, pins: EnginePins): string | undefined => {
  for (const [name, machines] of Object.entries(pins.wheels)) {
    for (const [machine, wheels] of Object.entries(machines)) {
      const found = wheels.find((wheel) => wheel.sha256 === sha256)
      if (found !== undefined) return `${found.file}, of ${name} on ${machine}`
    }
  }
  return undefined
}

/** Says what a file is that is none of the wheels that were wanted. @fails BadData  always */
export const wrongWheel = (path: string, sha256: string, wanted: ReadonlyArray<Wheel>): Effect.Effect<never, BadData> =>
  Effect.flatMap(Pins, (pins) => {
    const named = wanted.find(({ file }) => file === basename(path)) ?? wanted[0]
    const known = wheelOfDigest(sha256, pins)
    return new BadData({
      where: path,
      expected: (wanted.length > 3 ? [named!] : wanted)
        .map(({ file, sha256: pinned }) => `${file}, SHA-256 ${pinned}`)
        .join("\n"),
      received:
        known === undefined ? `a file of SHA-256 ${sha256}` : `${known}: the wheel of another machine or engine`,
      fix:
        known === undefined
          ? `the file is damaged or another build: fetch ${named?.file ?? "it"} again, or leave --wheel out`
          : "give the wheel of this machine, or leave --wheel out",
    })
  })
