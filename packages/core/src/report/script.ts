/** What the report does in the browser: draws the curves from the data block, smooths them, and tells values on hover. */
export const script = `
(() => {
  "use strict"
  const stages = JSON.parse(document.getElementById("curves").textContent)
  const smoothing = document.getElementById("smooth")
  const logarithmic = document.getElementById("log")
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim()
  const show = (v) => {
    if (v == null) return "not finite"
    const a = Math.abs(v)
    const text = a !== 0 && (a < 1e-4 || a >= 1e9) ? v.toExponential(2) : String(+v.toPrecision(4))
    return text.replace("-", "\\u2212")
  }
  const tick = (v) => {
    if (v == null) return ""
    const a = Math.abs(v)
    const text = a >= 1e6 ? +(v / 1e6).toPrecision(3) + "M" : a >= 1e4 ? +(v / 1e3).toPrecision(3) + "k"
      : a !== 0 && a < 1e-3 ? v.toExponential(0) : String(+v.toPrecision(4))
    return text.replace("-", "\\u2212")
  }
  // A centred mean, twice, over about a fortieth of the curve to each side: it does not lag behind as a running mean does.
  const means = (values, reach) => {
    const sums = [0], counts = [0]
    for (const v of values) {
      sums.push(sums.at(-1) + (v == null ? 0 : v))
      counts.push(counts.at(-1) + (v == null ? 0 : 1))
    }
    return values.map((v, i) => {
      // Narrower towards the ends, where a lopsided window would bend the curve, but not so narrow that noise comes back.
      const near = Math.max(Math.min(reach, i, values.length - 1 - i), Math.ceil(reach / 2))
      const [from, to] = [Math.max(0, i - near), Math.min(values.length, i + near + 1)]
      const n = counts[to] - counts[from]
      return v == null || n === 0 ? null : (sums[to] - sums[from]) / n
    })
  }
  const smooth = (values) => {
    const reach = Math.max(2, Math.round(values.length / 40))
    const mean = means(means(values, reach), reach)
    // Smooth already, such as a learning rate: one line says it better than two.
    const known = values.filter((v) => v != null)
    const range = Math.max(...known) - Math.min(...known)
    // A constant: its mean differs from it by rounding alone, which would be all that the curve shows.
    if (range === 0) return null
    let rough = 0
    for (let i = 1; i < known.length; i++) rough += Math.abs(known[i] - known[i - 1])
    return rough < range * 2.5 ? null : mean
  }
  const plots = []
  const clear = () => { for (const plot of plots.splice(0)) plot.destroy() }
  const draw = () => {
    clear()
    const font = "11px " + css("sans")
    for (const figure of document.querySelectorAll(".curve")) {
      const { steps, values, x } = stages[figure.dataset.stage]
      const raw = values[figure.dataset.value]
      const smoothed = smoothing.checked && x === undefined && raw.length > 20 ? smooth(raw) : null
      const holder = figure.querySelector(".plot")
      const out = figure.querySelector("output")
      const log = logarithmic.checked && raw.every((v) => v == null || v > 0)
      const tell = (i, rest) => {
        const strong = document.createElement("strong")
        strong.textContent = show(raw[i])
        if (rest) return out.replaceChildren(strong)
        const mean = smoothed && smoothed[i] != null ? ", mean " + show(smoothed[i]) : ""
        out.replaceChildren((x ?? "step") + " " + steps[i].toLocaleString("en-US") + ": ", strong, mean)
      }
      const line = (stroke, width) => ({ stroke, width, points: { show: raw.length < 2 || x !== undefined }, spanGaps: false })
      const axis = { stroke: css("soft"), font, grid: { stroke: css("grid"), width: 1 }, ticks: { show: false } }
      const height = 176
      const plot = new uPlot({
        width: Math.max(200, holder.clientWidth), height, padding: [8, 16, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: true }, sync: { key: "stage-" + figure.dataset.stage },
          points: { size: 7, fill: css("accent"), stroke: css("raised") } },
        scales: { x: { time: false }, y: log ? { distr: 3 } : { range: (u, min, max) => {
          if (min == null || max == null) return [0, 1]
          const room = (max - min) * 0.08 || Math.abs(max) * 0.1 || 1
          return [min >= 0 && min - room < 0 ? 0 : min - room, max + room]
        } } },
        axes: [
          { ...axis, grid: { show: false }, size: 24, gap: 4, space: 60, values: (u, vs) => vs.map(tick) },
          { ...axis, size: 46, gap: 6, space: 34, values: (u, vs) => vs.map(tick) },
        ],
        series: smoothed ? [{}, line(css("raw"), 1), line(css("accent"), 2)] : [{}, line(css("accent"), 1.5)],
        hooks: { setCursor: [(u) => u.cursor.idx == null ? tell(steps.length - 1, true) : tell(u.cursor.idx, false)] },
      }, smoothed ? [steps, raw, smoothed] : [steps, raw], holder)
      tell(steps.length - 1, true)
      let at = steps.length - 1
      holder.onkeydown = (event) => {
        const jump = Math.max(1, Math.round(steps.length / 50))
        const to = { ArrowLeft: at - jump, ArrowRight: at + jump, Home: 0, End: steps.length - 1 }[event.key]
        if (to === undefined) return
        event.preventDefault()
        at = Math.min(steps.length - 1, Math.max(0, to))
        plot.setCursor({ left: plot.valToPos(steps[at], "x"), top: height / 3 })
      }
      plots.push(plot)
    }
  }
  const main = document.querySelector("main")
  let width = main.clientWidth
  draw()
  new ResizeObserver(() => {
    if (main.clientWidth === width) return
    width = main.clientWidth
    requestAnimationFrame(draw)
  }).observe(main)
  smoothing.addEventListener("change", draw)
  logarithmic.addEventListener("change", draw)
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw)
})()
`
