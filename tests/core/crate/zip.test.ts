import { resolve, sep } from "node:path"
import { BadData, Disk, type DiskOperations, type Files, nodeDisk } from "@millrace/core"
import { collisionIn, decodeZip, encodeZip, unpackFiles, whyNotEntryName } from "@millrace/core/crate"
import { Effect, Exit } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { archive, type Entry } from "./archive.js"

const runs = process.env.MILLRACE_LONG ? 20_000 : 200

const part = fc.stringMatching(/^[A-Za-z0-9 _%+-]{0,6}[A-Za-z0-9_]$/)
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"))
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.integer({ min: 0, max: 300 }).map((n) => Buffer.alloc(n, "ab")),
)
const files: fc.Arbitrary<Files> = fc
  .dictionary(path, bytes, { maxKeys: 6 })
  .filter((found) => collisionIn(Object.keys(found)) === null)

const refusalOf = (archived: Uint8Array): BadData => {
  try {
    decodeZip(archived)
  } catch (error) {
    if (error instanceof BadData) return error
    throw error
  }
  throw new Error("the archive was read")
}

test("what is written is read again, and read is written again as the same bytes", () => {
  fc.assert(
    fc.property(files, (given) => {
      const written = encodeZip(given)
      const read = decodeZip(written)
      expect(Object.keys(read).sort()).toEqual(Object.keys(given).sort())
      for (const [name, content] of Object.entries(given)) expect(Buffer.compare(read[name]!, content)).toBe(0)
      expect(Buffer.compare(encodeZip(read), written)).toBe(0)
    }),
    { numRuns: runs },
  )
})

test("the order in which files are given does not change the bytes", () => {
  const content = Buffer.from("x".repeat(100))
  expect(encodeZip({ a: content, "b/c": content })).toEqual(encodeZip({ "b/c": content, a: content }))
})

test("the format is that of APPNOTE: an archive put together by hand is read, and is what is written", () => {
  const given = { "a.png": Buffer.from("one"), "b/c.png": Buffer.from("two") }
  const byHand = archive(Object.entries(given).map(([name, bytes]) => ({ name, bytes })))
  expect(Buffer.from(encodeZip(given)).equals(byHand)).toBe(true)
})

test("every single byte of an archive counts: changed in any bit, it is refused with a place", () => {
  const whole = encodeZip({
    "data.txt": Buffer.from("text ".repeat(40)),
    "folder/weights.png": Uint8Array.of(1, 2, 3),
    z: Uint8Array.of(),
  })
  for (let at = 0; at < whole.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Uint8Array.from(whole)
      changed[at] = changed[at]! ^ (1 << bit)
      const { where } = refusalOf(changed)
      if (at < 30) expect(where).toBe("data.txt")
      expect(where).not.toBe("")
    }
  }
})

test("an archive that is cut short or has more at its end is refused", () => {
  const whole = encodeZip({ a: Buffer.from("text ".repeat(20)), b: Uint8Array.of(1) })
  for (let length = 0; length < whole.length; length++) refusalOf(whole.subarray(0, length))
  refusalOf(Buffer.concat([whole, Uint8Array.of(0)]))
  refusalOf(Buffer.concat([Uint8Array.of(0), whole]))
})

describe("a hostile archive is refused:", () => {
  const good: Entry = { name: "good" }
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Entry>, string]> = [
    ["a name with a way up", [{ name: "../evil" }], 'a part ".."'],
    ["a name with a way up inside", [{ name: "a/../../evil" }], 'a part ".."'],
    ["an absolute name", [{ name: "/etc/passwd" }], "an absolute path"],
    ["a name with a drive", [{ name: "C:/evil" }], "a drive"],
    ["a name of a share", [{ name: "\\\\server\\share\\evil" }], "a backslash"],
    ["a name with a stream", [{ name: "a/b:evil" }], "a colon"],
    ["a name with a zero", [{ name: "a\0b" }], "a control character"],
    ["a name of a prototype", [{ name: "a/__proto__" }], "__proto__"],
    ["a name that Windows shortens", [{ name: "a /b" }], "a dot or a space"],
    ["a name that is too long", [{ name: "a".repeat(2000) }], "longer"],
    ["a name of too many folders", [{ name: `${"a/".repeat(40)}b` }], "deeper"],
    ["a symbolic link", [{ name: "link", bytes: Buffer.from("/etc"), mode: 0o120777 }], "a symbolic link"],
    ["a folder", [{ name: "folder/", bytes: Uint8Array.of(), mode: 0o040755 }], "a folder"],
    ["a device", [{ name: "device", mode: 0o020644 }], "other bytes"],
    ["a program", [{ name: "program", mode: 0o100755 }], "other bytes"],
    ["one name twice", [good, good], "after good"],
    ["names that differ in case", [{ name: "GOOD" }, good], "another is GOOD"],
    ["names that differ in normal form", [{ name: "e\u0301" }], "normal form"],
    ["a file that is a folder too", [{ name: "a" }, { name: "a/b" }], "another is a"],
    ["another name before the bytes", [{ name: "good", localName: "evil" }], "other bytes"],
    ["a bomb", [{ name: "bomb", bytes: Buffer.alloc(2 ** 20), deflated: true }], "that become 1048576"],
    [
      "a bomb that lies of its size",
      [{ name: "bomb", bytes: Buffer.alloc(2 ** 20), deflated: true, size: 100 }],
      "larger than 100",
    ],
    ["a size that is too large", [{ name: "big", size: 6 }], "6"],
    ["an encrypted file", [{ name: "secret", flags: 0x0801 }], "other bytes"],
    ["sizes behind the bytes", [{ name: "streamed", flags: 0x0808 }], "other bytes"],
    ["another digest", [{ name: "good", digest: "0".repeat(64) }], "2cf24dba"],
    ["a digest that is none", [{ name: "good", digest: "G".repeat(64) }], "other"],
  ]
  test.each(cases)("%s", (_, entries, says) => {
    expect(refusalOf(archive(entries)).received).toContain(says)
  })

  test("more entries than it has", () => {
    refusalOf(archive([good], 2))
    refusalOf(archive([good], 0))
  })

  test("more bytes together than allowed, before any is unpacked", () => {
    const three = encodeZip({ a: new Uint8Array(50), b: new Uint8Array(50), c: new Uint8Array(50) })
    const limits = { entries: 10, total: 149, ratio: 200 }
    expect(() => decodeZip(three, limits)).toThrow(/at most 149 bytes/)
    expect(() => decodeZip(three, { ...limits, total: 150, entries: 2 })).toThrow(/at most 2 files/)
    expect(Object.keys(decodeZip(three, { ...limits, total: 150 }))).toHaveLength(3)
  })

  test("bytes that are none of an archive, without another error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        refusalOf(bytes)
      }),
      { numRuns: runs },
    )
  })
})

test("a file that deflates too well is stored, so that no honest archive looks like a bomb", () => {
  const zeros = { zeros: new Uint8Array(2 ** 20) }
  expect(encodeZip(zeros).length).toBeGreaterThan(2 ** 20)
  expect(decodeZip(encodeZip(zeros)).zeros).toHaveLength(2 ** 20)
})

const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom("..", ".", "", "C:", "\\", "~", "con", "a\\..", "%2e%2e", "\0", "a"),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 6 },
    )
    .chain((parts) => fc.constantFrom("/", "\\").map((slash) => parts.join(slash))),
)

test("whatever a file is called, nothing is written outside of the folder", async () => {
  const folder = resolve("/nowhere/folder")
  await fc.assert(
    fc.asyncProperty(fc.array(nasty, { minLength: 1, maxLength: 3 }), async (names) => {
      const written: Array<string> = []
      const note = async (path: string): Promise<void> => void written.push(path)
      const disk: DiskOperations = {
        ...nodeDisk,
        write: note,
        makeFolder: note,
        rename: async (from, to) => void written.push(from, to),
        remove: note,
        syncFolder: async () => undefined,
      }
      const given = Object.fromEntries(names.map((name) => [name, Uint8Array.of(1)]))
      const exit = await Effect.runPromiseExit(unpackFiles(given, folder).pipe(Effect.provideService(Disk, disk)))
      for (const path of written) expect(path === folder || resolve(path).startsWith(folder + sep)).toBe(true)
      const allowed =
        Object.keys(given).every((name) => whyNotEntryName(name) === null) && collisionIn(Object.keys(given)) === null
      expect(Exit.isSuccess(exit)).toBe(allowed)
      if (!allowed) expect(written).toEqual([])
    }),
    { numRuns: runs * 5 },
  )
})
