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
