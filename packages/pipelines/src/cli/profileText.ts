/** A profile as text: what `millrace profile` prints. */
import { type PathRow, type Profile, showNumber, textTable } from "@millrace/core"

const megabytes = (bytes: number): number => bytes / 1e6
/** Operations in so many milliseconds, as 10⁹ a second. */
const rate = (flops: number, milliseconds: number): number => (milliseconds > 0 ? flops / milliseconds / 1e6 : 0)
const percent = (part: number, whole: number): number => (100 * part) / whole

const mb = (bytes: number): string => `${showNumber(megabytes(bytes))} MB`
const ms = (milliseconds: number): string => `${showNumber(milliseconds)} ms`

const indented = ({ path }: PathRow): string => `${"  ".repeat(path.length - 1)}${path.at(-1)}`

const round = (value: number, decimals: number): number => Number(value.toFixed(decimals))

/** Rows that took less, in percent of the call, are left out of the table; `--json` has them. */
const smallest = 0.05
const longest = 10

const nodes = ({ paths, milliseconds }: Profile): string =>
  textTable({
    title: "By node",
    columns: ["node", "ms", "%", "GFLOP/s", "made, MB", "at peak, MB", "kernels"],
    rows: paths
      .filter((row) => row.path.length === 1 || percent(row.milliseconds, milliseconds) >= smallest)
      .map((row) => [
        indented(row),
        round(row.milliseconds, 2),
        round(percent(row.milliseconds, milliseconds), 1),
        round(rate(row.flops, row.milliseconds), 1),
        round(megabytes(row.bytes), 2),
        round(megabytes(row.bytesAtPeak), 2),
        row.kernels,
      ]),
  })

const kernels = ({ equations, milliseconds }: Profile): string =>
  textTable({
    title: "Kernels that took longest",
    columns: ["kernel", "node", "makes", "ms", "%", "GFLOP/s"],
    rows: equations
      .slice(0, longest)
      .map((one) => [
        one.op,
        one.path.join(" > "),
        one.makes,
        round(one.milliseconds, 2),
        round(percent(one.milliseconds, milliseconds), 1),
        round(rate(one.flops, one.milliseconds), 1),
      ]),
  })

const productLines = ({ products, milliseconds }: Profile): ReadonlyArray<string> => {
  const { flops, peak } = products
  if (flops === 0) return ["matrix products  none"]
  const reached = rate(flops, products.milliseconds)
  const share = `${ms(products.milliseconds)}, ${showNumber(round(percent(products.milliseconds, milliseconds), 1))} % of the step`
  const work = `${showNumber(flops / 1e9)} GFLOP at ${showNumber(reached)} GFLOP/s`
  if (peak === null) return [`matrix products  ${share}; ${work}`]
  const { gigaflopsPerSecond: most, size } = peak
  return [
    `matrix products  ${share}; ${work}`,
    `against the peak ${showNumber(round(percent(reached, most), 1))} % of ${showNumber(most)} GFLOP/s, a product of ${size} × ${size} on this machine;`,
    `                 the whole step ${showNumber(round(percent(rate(flops, milliseconds), most), 1))} %`,
  ]
}

export const profileText = (profile: Profile): string => {
  const { name, engine, runs, milliseconds, unprofiled, memory } = profile
  const peak = memory.peakPath.length === 0 ? "" : ` in ${memory.peakPath.join(" > ")}`
  const allocated = memory.allocated === null ? "" : `; the engine has allocated ${mb(memory.allocated)}`
  return [
    `${name} on ${engine}`,
    "",
    `step             ${ms(milliseconds)}, the mean of the middle half of ${runs} runs; ${ms(unprofiled)} with nothing recorded`,
    ...productLines(profile),
    `memory           values ${mb(memory.peak)} at most,${peak}${allocated}`,
    `                 state, inputs and constants ${mb(memory.held)}; the engine's process ${mb(memory.resident)}`,
    "",
    nodes(profile),
    "",
    kernels(profile),
    "",
  ].join("\n")
}
