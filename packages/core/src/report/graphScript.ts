import { graphView } from "./graphView.js"

/**
 * What the report does in the browser with its drawn graph: moves and zooms it, opens what a node knows of itself, and goes
 * from the pipeline to an objective or a program and back.
 */
export const graphScript = `
(() => {
  "use strict"
  const viewer = document.querySelector(".viewer")
  if (!viewer) return
  const canvas = viewer.querySelector(".canvas")
  const drawings = [...viewer.querySelectorAll(".drawing")]
  const details = [...viewer.querySelectorAll(".detail")]
  const shownZoom = viewer.querySelector("output")
  const here = viewer.querySelector(".here")
  const top = viewer.querySelector(".trail button")
${graphView}  let opener = null
  const close = () => {
    for (const detail of details) detail.classList.remove("open")
    for (const link of canvas.querySelectorAll("a[aria-current]")) link.removeAttribute("aria-current")
    viewer.classList.remove("opened")
  }
  const back = () => {
    close()
    opener?.focus({ preventScroll: true })
    if (opener && canvas.contains(opener) && viewer.getBoundingClientRect().top < 0) viewer.scrollIntoView()
  }
  const openDetail = (detail, from) => {
    close()
    detail.classList.add("open")
    viewer.classList.add("opened")
    canvas.querySelector('a[href="#' + detail.id + '"]')?.setAttribute("aria-current", "true")
    opener = from
    detail.focus({ preventScroll: true })
    detail.parentElement.scrollTop = 0
    const { top: above, bottom } = viewer.getBoundingClientRect()
    if (above > innerHeight * 0.6 || bottom < innerHeight * 0.4) viewer.scrollIntoView()
    else detail.scrollIntoView({ block: "nearest" })
  }
  const go = (id, path) => {
    close()
    shown = id
    for (const drawing of drawings) drawing.hidden = drawing.id !== id
    here.textContent = id === drawings[0].id ? "" : "\\u203a " + path
    if (id === drawings[0].id) top.setAttribute("aria-current", "true")
    else top.removeAttribute("aria-current")
    const v = view()
    if (v?.own) paint()
    else start()
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]')
    const detail = link && details.find(({ id }) => "#" + id === link.getAttribute("href"))
    if (detail) {
      event.preventDefault()
      if (detail.id.startsWith("node-") && shown !== drawings[0].id) go(drawings[0].id)
      return openDetail(detail, link)
    }
    const button = event.target.closest("button")
    if (!button || !viewer.contains(button)) return
    if (button.dataset.open) {
      go(button.dataset.open, button.dataset.path)
      canvas.focus({ preventScroll: true })
    } else if (button.classList.contains("close")) {
      back()
    }
  })
  viewer.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return
    if (viewer.classList.contains("opened")) {
      back()
    } else if (shown !== drawings[0].id) {
      go(drawings[0].id)
      canvas.focus({ preventScroll: true })
    }
  })
  start()
  let width = canvas.clientWidth
  new ResizeObserver(() => {
    if (canvas.clientWidth === width) return
    const v = view()
    if (v) v.x -= (canvas.clientWidth - width) / 2 / v.scale
    width = canvas.clientWidth
    // Nobody wants another size than the best until they say so.
    if (v && !v.own) return start()
    paint()
    const chosen = canvas.querySelector("a[aria-current]")
    if (chosen) intoSight(chosen)
  }).observe(canvas)
  const target = details.find(({ id }) => "#" + id === location.hash)
  if (target) openDetail(target, null)
})()
`
