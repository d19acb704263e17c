/** A program as its kernels, counted by kind. */
import type { KernelCount } from "./graphFacts.js"
import { type Html, html } from "./html.js"
import { showNumber } from "./number.js"

/** 12_340_000 -> `12.3 M` */
const showFlops = (flops: number): string => {
  const [factor, unit] = flops >= 1e12 ? [1e12, "T"] : flops >= 1e9 ? [1e9, "G"] : [1e6, "M"]
  return `${showNumber(Number((flops / factor).toPrecision(3)))} ${unit}FLOP`
}

export const programTable = (kernels: ReadonlyArray<KernelCount>): Html => {
  const all = kernels.reduce((sum, { flops }) => sum + flops, 0)
  const count = kernels.reduce((sum, kernel) => sum + kernel.count, 0)
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Kernels"><table>
<caption>${count.toLocaleString("en-US")} kernels as captured, ${showFlops(all)} in matrix products and convolutions</caption>
<thead><tr><th scope="col">Kernel</th><th scope="col" class="n">Count</th><th scope="col" class="n">Arithmetic</th><th scope="col" class="n">Share</th></tr></thead>
<tbody>${kernels.map(
    ({ kernel, count, flops }) =>
      html`<tr><th scope="row" class="mono">${kernel}</th><td class="n">${count.toLocaleString("en-US")}</td><td class="n">${flops === 0 ? "" : showFlops(flops)}</td><td class="n">${flops === 0 ? "" : `${((100 * flops) / all).toFixed(1)} %`}</td></tr>`,
  )}</tbody></table></div>`
}
