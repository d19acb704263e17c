/** What the report does in the browser with tables: shows the rows that have all the words that were typed. */
export const filterScript = `
(() => {
  "use strict"
  for (const filter of document.querySelectorAll(".filter")) {
    const input = filter.querySelector("input")
    const out = filter.querySelector("output")
    const rows = [...filter.parentElement.querySelector("tbody").rows]
    const texts = rows.map((row) => row.textContent.toLowerCase())
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\\s+/)
      let count = 0
      rows.forEach((row, i) => {
        row.hidden = !words.every((word) => texts[i].includes(word))
        if (!row.hidden) count++
      })
      out.textContent = count === rows.length ? "" : count + " of " + rows.length
    })
  }
})()
`
