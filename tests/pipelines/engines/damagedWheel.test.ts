/** Wheels that are damaged and pinned so: whatever a zip archive says, what is installed is what was packed, or nothing is. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { engineFolder } from "@millrace/core"
import fc from "fast-check"
import { zipSync } from "fflate"
import { expect, test } from "vitest"
import { freshCache } from "../../examples/tarball.js"
import { fakeMachine, filesIn, wanted, wheelBytes } from "./fakeMachine.js"

const { cache } = freshCache()
const runs = process.env.MILLRACE_LONG === undefined ? 25 : 400
const text = new TextEncoder()

/** Where the directory of the archive begins: damage is most telling there. */
const directory = Buffer.from(wheelBytes.buffer).readUInt32LE(wheelBytes.length - 6)

const place = fc.oneof(
  fc.integer({ min: directory, max: wheelBytes.length - 1 }),
  fc.integer({ min: 0, max: wheelBytes.length - 1 }),
)
const damaged = fc.oneof(
  fc
    .tuple(fc.array(fc.tuple(place, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }))
    .map(([flips]) => {
      const bytes = Uint8Array.from(wheelBytes)
      for (const [at, change] of flips) bytes[at]! ^= change
      return bytes
    }),
  place.map((end) => wheelBytes.slice(0, end)),
  place.map((start) => wheelBytes.slice(start)),
)

test("a damaged wheel is a typed error and leaves no engine, or its libraries are whole", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      const machine = fakeMachine({ bytes })
      const { code, err } = await machine.millrace("engines", "add", "tfjs-node", "--quiet")
      const folder = engineFolder("tfjs-node", "linux-x64")
      if (code === 0) {
        for (const [path, content] of Object.entries(wanted)) {
          expect(readFileSync(join(folder, path)).equals(content)).toBe(true)
        }
      } else {
        expect(err).toMatch(/^(?:BadData|DiskFailed) in /)
        expect(existsSync(folder)).toBe(false)
      }
      await machine.millrace("engines", "remove", "tfjs-node")
      expect(filesIn(cache())).toEqual([])
    }),
    { numRuns: runs },
  )
})

test("a wheel writes nothing outside the engine's folder, whatever its files are called", async () => {
  const evil = ["../out.so", "tensorflow/../../out.so", "/tmp/out.so", "nvidia/../lib/out.so", "nvidia\\x/lib/out.so"]
  const files = Object.fromEntries(evil.map((name) => [name, text.encode("X")]))
  const header = { "tensorflow/include/tensorflow/c/../../../../c_api.h": text.encode("X") }
  const api = { "tensorflow/include/tensorflow/c/c_api.h": text.encode("// c api") }
  const plain = fakeMachine({ bytes: zipSync({ ...wanted, ...api, ...files }) })
  expect((await plain.millrace("engines", "add", "tfjs-node", "--quiet")).code).toBe(0)
  expect(filesIn(cache()).filter((file) => file.includes("out.so"))).toEqual([])
  await plain.millrace("engines", "remove", "tfjs-node")
  const climbing = fakeMachine({ bytes: zipSync({ ...wanted, ...api, ...header }) })
  const { code, err } = await climbing.millrace("engines", "add", "tfjs-node", "--quiet")
  expect([code, err]).toEqual([1, expect.stringMatching(/^BadData in [\s\S]*a file called tensorflow\/include/)])
})
