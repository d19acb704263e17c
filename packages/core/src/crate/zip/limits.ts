/** How much an archive may hold: beyond it, it is refused before anything is unpacked. */
export interface ZipLimits {
  /** Files. The format without its 64-bit extension ends at 65,535. */
  readonly entries: number
  /** Bytes of all files together, unpacked. */
  readonly total: number
  /** How many times larger than its stored bytes a file may be. */
  readonly ratio: number
}

export const zipLimits: ZipLimits = { entries: 65_535, total: 2 ** 31 - 1, ratio: 200 }
