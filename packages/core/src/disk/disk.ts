/**
 * The file layer beneath run folders, checkpoints and the store. It is a service with a default, the machine's own file
 * system, so that nobody must provide it, and tests can put one in its place that fails or dies at its k-th operation.
 */
import { Context } from "effect"
import { nodeDisk } from "./nodeDisk.js"

export interface Entry {
  readonly kind: "file" | "folder" | "other"
  readonly bytes: number
  /** Of the last change, in milliseconds since 1970. */
  readonly modified: number
}

/** What is done with files, as promises that reject with Node's errors. Effects over them: `files.ts`. */
export interface DiskOperations {
  readonly read: (path: string) => Promise<Uint8Array>
  /** Writes a file and syncs it; what was there is lost. Not atomic: `writeWhole` is. */
  readonly write: (path: string, bytes: Uint8Array) => Promise<void>
  /** Writes a file from its pieces and syncs it, in the memory of one of them; what was there is lost. Not atomic. */
  readonly writeFrom: (path: string, pieces: AsyncIterable<Uint8Array>, mode?: number) => Promise<void>
  /** Adds to the end of a file; makes it where it is not there. */
  readonly append: (path: string, bytes: Uint8Array) => Promise<void>
  /** Puts a file in the place of another, at once. */
  readonly rename: (from: string, to: string) => Promise<void>
  /** Removes a file or folder with all that is in it; nothing there is no error. */
  readonly remove: (path: string) => Promise<void>
  /** Makes a folder and those above it; one that is there is no error. */
  readonly makeFolder: (path: string) => Promise<void>
  /** Makes a folder. @returns false where it is there already: of two who ask at once, one gets true */
  readonly claimFolder: (path: string) => Promise<boolean>
  /** The names in a folder, sorted. */
  readonly list: (path: string) => Promise<ReadonlyArray<string>>
  /** What is at a path, links not followed; undefined where nothing is. */
  readonly look: (path: string) => Promise<Entry | undefined>
  /** Makes the names in a folder durable, where the system can. */
  readonly syncFolder: (path: string) => Promise<void>
  /** Sets the time of a file's last change, in milliseconds since 1970: so it tells that it is in use. */
  readonly touch: (path: string, now: number) => Promise<void>
}

export const Disk: Context.Reference<DiskOperations> = Context.Reference("millrace/Disk", {
  defaultValue: () => nodeDisk,
})
