/**
 * The part of the graph's script that moves and zooms drawings by mouse, wheel, touch and keys. It stands inside
 * `graphScript`, which gives it `viewer`, `canvas`, `drawings` and `shownZoom`.
 */
export const graphView = `  const LEAST = 0.1, MOST = 6, LEGIBLE = 0.8, SMALL = 0.42
  const views = new Map(drawings.flatMap((drawing) => {
    const svg = drawing.querySelector("svg.mg")
    if (!svg) return []
    return [[drawing.id, { svg, width: +svg.getAttribute("width"), height: +svg.getAttribute("height"), x: 0, y: 0, scale: 0, own: false }]]
  }))
  let shown = drawings[0].id
  const first = views.get(shown)
  const view = () => views.get(shown)
  const clamp = (v, low, high) => Math.min(Math.max(v, low), Math.max(low, high))
  const size = () => [canvas.clientWidth, canvas.clientHeight]
  const paint = () => {
    const v = view()
    viewer.querySelector(".zooms").hidden = !v
    if (!v) return
    const [w, h] = size()
    // Some of the drawing always stays in sight.
    const [wide, high] = [w / v.scale, h / v.scale]
    const keep = 60 / v.scale
    v.x = clamp(v.x, keep - wide, v.width - keep)
    v.y = clamp(v.y, keep - high, v.height - keep)
    v.svg.setAttribute("viewBox", v.x + " " + v.y + " " + wide + " " + high)
    shownZoom.textContent = Math.round(v.scale * 100) + " %"
    canvas.classList.toggle("loose", v.width * v.scale > w + 1 || v.height * v.scale > h + 1)
  }
  /** The whole drawing, in the middle. */
  const whole = (v) => Math.min(1, (size()[0] - 8) / v.width, (size()[1] - 8) / v.height)
  const place = (scale) => {
    const v = view()
    if (!v) return paint()
    const [w, h] = size()
    v.scale = clamp(scale ?? whole(v), LEAST, MOST)
    v.x = (v.width - w / v.scale) / 2
    v.y = v.height * v.scale > h ? 0 : (v.height - h / v.scale) / 2
    paint()
  }
  /** As large as can be read, from its top: whole or as wide as the pane where that is not too small to make out. */
  const start = () => {
    const v = view()
    if (!v) return paint()
    const wide = Math.max(Math.min(LEGIBLE, (size()[0] - 8) / v.width), SMALL)
    // No higher than the pipeline needs, but with room for what opens beside it.
    if (v === first && !viewer.classList.contains("opened")) {
      viewer.style.setProperty("--high", "clamp(24rem, " + Math.ceil(v.height * wide + 16) + "px, min(72vh, 46rem))")
    }
    place(Math.max(whole(v), wide))
    v.y = -8 / v.scale
    paint()
    const chosen = canvas.querySelector("a[aria-current]")
    if (chosen) intoSight(chosen)
    v.own = false
  }
  const zoom = (factor, px, py) => {
    const v = view()
    if (!v) return
    v.own = true
    const [w, h] = size()
    const [ax, ay] = [px ?? w / 2, py ?? h / 2]
    const scale = clamp(v.scale * factor, LEAST, MOST)
    v.x += ax / v.scale - ax / scale
    v.y += ay / v.scale - ay / scale
    v.scale = scale
    paint()
  }
  const move = (dx, dy) => { const v = view(); if (v && (dx || dy)) { v.own = true; v.x += dx / v.scale; v.y += dy / v.scale; paint() } }

  canvas.addEventListener("wheel", (event) => {
    // A page that scrolls by must not be caught by the drawing.
    if (!view() || (!event.ctrlKey && !event.metaKey && !canvas.contains(document.activeElement))) return
    event.preventDefault()
    const box = canvas.getBoundingClientRect()
    const lines = event.deltaMode === 1 ? 18 : 1
    zoom(Math.exp(-clamp(event.deltaY * lines, -120, 120) * (event.ctrlKey ? 0.01 : 0.002)), event.clientX - box.left, event.clientY - box.top)
  }, { passive: false })

  const pointers = new Map()
  let dragged = false
  const middle = () => {
    const all = [...pointers.values()]
    const [a, b = a] = all
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y), count: all.length }
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !view()) return
    if (pointers.size === 0) dragged = false
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, x0: event.clientX, y0: event.clientY })
  })
  canvas.addEventListener("pointermove", (event) => {
    const pointer = pointers.get(event.pointerId)
    if (!pointer) return
    const before = middle()
    const far = Math.hypot(event.clientX - pointer.x0, event.clientY - pointer.y0)
    pointer.x = event.clientX
    pointer.y = event.clientY
    if (!dragged && far < 4) return
    if (!dragged) {
      dragged = true
      canvas.classList.add("dragged")
      canvas.setPointerCapture(event.pointerId)
    }
    const after = middle()
    move(before.x - after.x, before.y - after.y)
    if (after.count > 1 && before.apart > 0) {
      const box = canvas.getBoundingClientRect()
      zoom(after.apart / before.apart, after.x - box.left, after.y - box.top)
    }
  })
  const lift = (event) => { pointers.delete(event.pointerId); if (pointers.size === 0) canvas.classList.remove("dragged") }
  canvas.addEventListener("pointerup", lift)
  canvas.addEventListener("pointercancel", lift)
  // A link is no picture to be dragged away, and the end of a drag is no click.
  canvas.addEventListener("dragstart", (event) => event.preventDefault())
  canvas.addEventListener("click", (event) => { if (dragged) { event.preventDefault(); event.stopPropagation() } }, true)
  canvas.addEventListener("dblclick", (event) => {
    const box = canvas.getBoundingClientRect()
    zoom(1.6, event.clientX - box.left, event.clientY - box.top)
  })

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const by = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] }[event.key]
    if (by && view()) move(...by)
    else if (event.key === "+" || event.key === "=") zoom(1.25)
    else if (event.key === "-") zoom(0.8)
    else if (event.key === "0") place()
    else return
    event.preventDefault()
  })
  const intoSight = (link) => {
    const frame = link.querySelector("rect")
    if (!view() || !frame) return
    const [box, pane] = [frame.getBoundingClientRect(), canvas.getBoundingClientRect()]
    const over = (low, high, from, to) => low < from + 12 ? low - from - 12 : high > to - 12 ? Math.min(high - to + 12, low - from - 12) : 0
    move(over(box.left, box.right, pane.left, pane.right), over(box.top, box.bottom, pane.top, pane.bottom))
  }
  canvas.addEventListener("focusin", ({ target }) => {
    canvas.scrollTo(0, 0)
    const link = target.closest("a")
    if (link && target.matches(":focus-visible")) intoSight(link)
  })
  for (const button of viewer.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => button.dataset.zoom === "fit" ? place() : zoom(button.dataset.zoom === "in" ? 1.25 : 0.8))
  }

`
