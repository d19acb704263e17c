/** What one image may cost, checked before anything of its size is made. */
export interface ImageLimits {
  /** Height times width, as the header states them. */
  readonly pixels: number
  /** Bytes of the file. */
  readonly bytes: number
}

export const defaultLimits: ImageLimits = { pixels: 16_000_000, bytes: 64_000_000 }
