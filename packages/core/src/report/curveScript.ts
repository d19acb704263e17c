/**
 * What the report does in the browser with curves: draws them from the data block, smooths them, tells values where the
 * pointer or the arrow keys are, and marks steps without a finite value.
 */
export const curveScript = `
(() => {
  "use strict"
  const curves = JSON.parse(document.getElementById("curves").textContent)
  const smoothing = document.getElementById("smooth")
  const logarithmic = document.getElementById("log")
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim()
  const minus = (text) => text.replace("-", "\\u2212")
  const show = (v) => {
    const a = Math.abs(v)
    return minus(a !== 0 && (a < 1e-4 || a >= 1e9) ? v.toExponential(2) : String(+v.toPrecision(4)))
  }
  const tick = (v) => {
    if (v == null) return ""
    const a = Math.abs(v)
    return minus(a >= 1e6 ? +(v / 1e6).toPrecision(3) + "M" : a >= 1e4 ? +(v / 1e3).toPrecision(3) + "k"
      : a !== 0 && a < 1e-3 ? v.toExponential(0) : String(+v.toPrecision(4)))
  }
  // Each value weighs a part of the one after it. Divided by the weights so far, so that the curve does not begin at zero.
  const exponential = (values, weight) => {
    let [sum, weights] = [0, 0]
    return values.map((v) => {
      if (v == null) return null
      sum = weight * sum + (1 - weight) * v
      weights = weight * weights + (1 - weight)
      return sum / weights
    })
  }
  const smooth = (values, weight) => {
    const known = values.filter((v) => v != null)
    const range = Math.max(...known) - Math.min(...known)
    let rough = 0
    for (let i = 1; i < known.length; i++) rough += Math.abs(known[i] - known[i - 1])
    // Smooth already, such as a learning rate, or constant: a mean would only lag behind it.
    return known.length <= 20 || rough < range * 2.5 ? null : exponential(values, weight)
  }
  const element = (name, text, kind) => {
    const made = document.createElement(name)
    made.textContent = text
    if (kind) made.className = kind
    return made
  }
  /** What of a curve belongs to one run. */
  const lineOf = (data, name, colour) => {
    const raw = data?.values[name]
    if (!raw) return null
    const broken = new Set(data.broken?.[name] ?? [])
    const weight = data.x === undefined ? +smoothing.value : 0
    return { steps: data.steps, raw, smoothed: weight > 0 ? smooth(raw, weight) : null, broken, colour }
  }
  const plots = []
  const draw = () => {
    for (const plot of plots.splice(0)) plot.destroy()
    const font = "11px " + css("sans")
    for (const figure of document.querySelectorAll(".curve")) {
      const data = curves[figure.dataset.stage]
      const name = figure.dataset.value
      const lines = [lineOf(data, name, "accent"), lineOf(data.other, name, "second")].filter((line) => line)
      const paired = data.other !== undefined
      const holder = figure.querySelector(".plot")
      const out = figure.querySelector("output")
      const log = logarithmic.checked && lines.every(({ raw }) => raw.every((v) => v == null || v > 0))
      const stroke = (line, smoothed) => ({
        stroke: css(line.smoothed && !smoothed ? { accent: "raw", second: "second-raw" }[line.colour] : line.colour),
        width: line.smoothed ? (smoothed ? 2 : 1) : 1.5, points: { show: line.raw.length < 2 || data.x !== undefined }, spanGaps: false,
        // Where both are equal the first is seen through the second.
        ...(line.colour === "second" ? { dash: [7, 5] } : {}),
      })
      const tables = lines.flatMap((line) => [[line.steps, line.raw], ...(line.smoothed ? [[line.steps, line.smoothed]] : [])])
      const joined = tables.length === 1 ? tables[0] : uPlot.join(tables)
      const steps = joined[0]
      const last = steps.length - 1
      const tell = (i, rest) => {
        const at = steps[i]
        const parts = lines.flatMap((line, k) => {
          const own = rest ? line.steps.length - 1 : line.steps.indexOf(at)
          if (own < 0) return []
          const v = line.raw[own]
          const value = element("strong", v != null ? show(v) : line.broken.has(line.steps[own]) ? "not finite" : "none", paired ? line.colour : "")
          const mean = !rest && line.smoothed && line.smoothed[own] != null ? " mean " + show(line.smoothed[own]) : ""
          return [...(k > 0 ? [" "] : []), value, mean]
        })
        out.replaceChildren(...(rest ? [] : [(data.x ?? "step") + " " + minus(at.toLocaleString("en-US")) + ": "]), ...parts)
      }
      const marks = (u) => {
        const { ctx, bbox } = u
        const r = devicePixelRatio
        ctx.save()
        ctx.fillStyle = css("bad")
        for (const { broken } of lines) for (const step of broken) {
          const x = u.valToPos(step, "x", true)
          if (x < bbox.left || x > bbox.left + bbox.width) continue
          ctx.beginPath()
          ctx.moveTo(x - 4 * r, bbox.top)
          ctx.lineTo(x + 4 * r, bbox.top)
          ctx.lineTo(x, bbox.top + 7 * r)
          ctx.fill()
          ctx.fillRect(x - r / 2, bbox.top, r, bbox.height)
        }
        ctx.restore()
      }
      const axis = { stroke: css("soft"), font, grid: { stroke: css("grid"), width: 1 }, ticks: { show: false } }
      const height = 176
      const plot = new uPlot({
        width: Math.max(200, holder.clientWidth), height, padding: [8, 16, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: true }, sync: { key: "stage-" + figure.dataset.stage },
          points: { size: 7, fill: (u, i) => u.series[i].stroke(), stroke: css("raised") } },
        scales: { x: { time: false }, y: log ? { distr: 3 } : { range: (u, min, max) => {
          if (min == null || max == null) return [0, 1]
          const room = (max - min) * 0.08 || Math.abs(max) * 0.1 || 1
          return [min >= 0 && min - room < 0 ? 0 : min - room, max + room]
        } } },
        axes: [
          { ...axis, grid: { show: false }, size: 24, gap: 4, space: 60, values: (u, vs) => vs.map(tick) },
          { ...axis, size: 46, gap: 6, space: 34, values: (u, vs) => vs.map(tick) },
        ],
        series: [{}, ...lines.flatMap((line) => [stroke(line, false), ...(line.smoothed ? [stroke(line, true)] : [])])],
        hooks: { draw: [marks], setCursor: [(u) => u.cursor.idx == null ? tell(last, true) : tell(u.cursor.idx, false)] },
      }, joined, holder)
      tell(last, true)
      let at = last
      holder.onkeydown = (event) => {
        const jump = Math.max(1, Math.round(steps.length / 50))
        const to = { ArrowLeft: at - jump, ArrowRight: at + jump, Home: 0, End: last }[event.key]
        if (to === undefined) return
        event.preventDefault()
        at = Math.min(last, Math.max(0, to))
        plot.setCursor({ left: plot.valToPos(steps[at], "x"), top: height / 3 })
      }
      plots.push(plot)
    }
  }
  const main = document.querySelector("main")
  let width = main.clientWidth
  const told = smoothing.parentElement.querySelector("output")
  let waiting = 0
  const soon = () => {
    told.textContent = +smoothing.value === 0 ? "none" : (+smoothing.value).toFixed(2)
    cancelAnimationFrame(waiting)
    waiting = requestAnimationFrame(draw)
  }
  draw()
  new ResizeObserver(() => {
    if (main.clientWidth === width) return
    width = main.clientWidth
    soon()
  }).observe(main)
  smoothing.addEventListener("input", soon)
  logarithmic.addEventListener("change", draw)
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw)
  document.addEventListener("themechange", draw)
})()
`
