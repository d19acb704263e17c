/** Npm tarballs made here, any entry name and type allowed, and a cache folder of a test's own. */
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, beforeEach } from "vitest"

export interface Entry {
  readonly name: string
  readonly content?: Uint8Array | string
  /** 0 file, 1 hard link, 2 symbolic link, 5 folder. */
  readonly type?: 0 | 1 | 2 | 5
  readonly target?: string
}

/** One entry in ustar, POSIX.1-1988. */
const entry = ({ name, content = "", type = 0, target = "" }: Entry): Buffer => {
  const bytes = Buffer.from(content)
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write("0000644\0", 100)
  header.write("0000000\0", 108)
  header.write("0000000\0", 116)
  header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124)
  header.write("00000000000\0", 136)
  header.write("        ", 148)
  header.write(String(type), 156)
  header.write(target, 157)
  header.write("ustar\u000000", 257)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  )
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

export const tgz = (entries: ReadonlyArray<Entry>): Buffer =>
  gzipSync(Buffer.concat([...entries.map(entry), Buffer.alloc(1024)]))

export const integrityOf = (bytes: Uint8Array): string =>
  `sha512-${createHash("sha512").update(bytes).digest("base64")}`

/** A fresh cache for each test. `cache()` is its folder; `drop` puts a tarball there, as a user without a network would. */
export const freshCache = () => {
  const made: Array<string> = []
  const before = process.env.MILLRACE_CACHE
  beforeEach(() => {
    made.push(mkdtempSync(join(tmpdir(), "millrace-cache-")))
    process.env.MILLRACE_CACHE = made.at(-1)!
  })
  afterAll(() => {
    if (before === undefined) delete process.env.MILLRACE_CACHE
    else process.env.MILLRACE_CACHE = before
    for (const folder of made) rmSync(folder, { recursive: true, force: true })
  })
  const cache = () => made.at(-1)!
  return {
    cache,
    drop: (file: string, bytes: Uint8Array) => {
      mkdirSync(cache(), { recursive: true })
      writeFileSync(join(cache(), file), bytes)
    },
  }
}
