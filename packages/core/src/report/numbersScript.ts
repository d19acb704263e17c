/** What the report does in the browser with numbers below images: tells the one that the pointer or the arrow keys are at. */
export const numbersScript = `
(() => {
  "use strict"
  for (const grid of document.querySelectorAll(".grid")) {
    const rows = [...grid.querySelectorAll(".numbers")].map((row) => [...row.querySelectorAll("td")])
    if (rows.length === 0) continue
    const out = grid.closest(".scroll").parentElement.querySelector("output")
    const images = [...grid.querySelectorAll("td svg")].map((image) => image.getAttribute("aria-label"))
    let at
    const go = (y, x) => {
      if (at) rows[at[0]][at[1]].classList.remove("at")
      at = [y, x]
      const cell = rows[y][x]
      cell.classList.add("at")
      cell.scrollIntoView({ block: "nearest", inline: "nearest" })
      const strong = document.createElement("strong")
      strong.textContent = cell.title
      out.replaceChildren(cell.parentElement.querySelector("th").textContent + " × " + images[x] + ": ", strong)
    }
    rows.forEach((row, y) => row.forEach((cell, x) => cell.addEventListener("pointerenter", () => go(y, x))))
    grid.closest(".scroll").addEventListener("keydown", (event) => {
      const [dy, dx] = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key] ?? []
      if (dy === undefined) return
      event.preventDefault()
      const [y, x] = at ?? [0, 0]
      const within = (value, count) => Math.min(count - 1, Math.max(0, value))
      if (at === undefined) go(0, 0)
      else go(within(y + dy, rows.length), within(x + dx, rows[0].length))
    })
  }
})()
`
