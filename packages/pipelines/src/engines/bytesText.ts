/** A number of bytes for a person: `274 MB`, `1.1 GB`. */
export const bytesText = (bytes: number): string =>
  bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`
