/** Numbers and durations for people. */

/** At most four significant digits, thousands apart, `1.2e-7` where plain digits would be noise: `1,234`, `0.0312`, `NaN`. */
export const showNumber = (value: number): string => {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞"
  const size = Math.abs(value)
  const sign = value < 0 ? "−" : ""
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) {
    const [digits = "", power = ""] = size.toExponential(2).split("e")
    return `${sign}${Number(digits)}e${power.replace("+", "").replace("-", "−")}`
  }
  if (Number.isInteger(value)) return sign + size.toLocaleString("en-US")
  const decimals = size >= 1000 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(size)))
  return sign + Number(size.toFixed(decimals)).toLocaleString("en-US", { maximumFractionDigits: decimals })
}

/** `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`. */
export const showSeconds = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return "?"
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const two = (n: number): string => String(n).padStart(2, "0")
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`
}

/**
 * The numbers of one column of a table, with the same decimals where that reads well: four significant digits of the
 * largest, and never more decimals than some number has.
 */
export const showColumn = (values: ReadonlyArray<number>): ReadonlyArray<string> => {
  const finite = values.filter(Number.isFinite)
  const largest = Math.max(0, ...finite.map(Math.abs))
  const smallest = Math.min(largest, ...finite.filter((value) => value !== 0).map(Math.abs))
  if (largest >= 1e9 || largest > smallest * 1e4) return values.map(showNumber)
  const written = finite.map((value) => (String(Math.abs(value)).split(".")[1] ?? "").length)
  const decimals = Math.min(largest < 1 ? 4 : Math.max(0, 3 - Math.floor(Math.log10(largest))), Math.max(0, ...written))
  if (smallest < 0.5 * 10 ** -decimals && smallest > 0) return values.map(showNumber)
  return values.map((value) =>
    Number.isFinite(value)
      ? `${value < 0 ? "−" : ""}${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })}`
      : showNumber(value),
  )
}

/** `812 kB`, `1.4 GB`, with factors of a thousand. */
export const showBytes = (bytes: number): string => {
  if (!Number.isFinite(bytes) || bytes < 0) return "?"
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3))
  const size = bytes / 1000 ** power
  return `${power === 0 || size >= 99.5 ? Math.round(size) : size.toPrecision(2)} ${["bytes", "kB", "MB", "GB", "TB"][power]}`
}
