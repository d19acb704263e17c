/**
 * The colours that the reader chose, put on before anything is drawn and kept for the next page. Where nothing can be kept
 * (some browsers keep nothing for files) the choice holds while the page is open.
 */
export const themeScript = `
(() => {
  "use strict"
  const root = document.documentElement
  const name = "millrace-theme"
  root.classList.add("js")
  const kept = () => { try { return localStorage.getItem(name) } catch { return null } }
  const show = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme
    else delete root.dataset.theme
    document.dispatchEvent(new Event("themechange"))
  }
  show(kept())
  addEventListener("DOMContentLoaded", () => {
    const inputs = [...document.querySelectorAll('input[name="theme"]')]
    for (const input of inputs) {
      input.checked = input.value === (root.dataset.theme ?? "auto")
      input.addEventListener("change", () => {
        show(input.value)
        try { localStorage.setItem(name, input.value) } catch {}
      })
    }
  })
})()
`
