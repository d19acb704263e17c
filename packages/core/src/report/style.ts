import { mostGrids } from "./pictures.js"

const dark = `
    --paper: #121617; --raised: #181d1e; --ink: #e4e8e6; --soft: #9ba7a8; --faint: #76837f;
    --rule: #2b3233; --hair: #222829; --accent: #6cc7c8; --wash: #16302f; --raw: #33605f; --grid: #242a2b;
    --good: #7fcf9b; --good-wash: #16291d; --bad: #f0958a; --bad-wash: #341b18; --warn: #e6bd6a; --warn-wash: #2e2513;
    --second: #f0a561; --second-raw: #6b4a2b;`

/** The report's look: one column of readable width, wide figures, light and dark by the reader's own setting. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --raised: #ffffff; --ink: #1a2021; --soft: #5a6669; --faint: #8b9699;
  --rule: #e2e5e2; --hair: #eef0ed; --accent: #0b6b72; --wash: #e4f0ef; --raw: #9fc6c6; --grid: #eceeeb;
  --second: #b4560f; --second-raw: #e3bb98;
  --good: #1d7443; --good-wash: #e4f2e8; --bad: #a8281f; --bad-wash: #fbeae7; --warn: #8a5a00; --warn-wash: #fbf0d9;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, Charter, Georgia, "Noto Serif", "DejaVu Serif", serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { ${dark} } }
:root[data-theme="dark"] { color-scheme: dark; ${dark} }
:root[data-theme="light"] { color-scheme: light; }
*, *::before, *::after { box-sizing: border-box; }
html { font: 16px/1.55 var(--sans); background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; }
main, body > header, body > footer { max-width: 72rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
h1, h2, h3, p, dl, dd, figure, ul { margin: 0; padding: 0; }
h1, h2 { font-family: var(--serif); font-weight: 600; letter-spacing: -0.01em; line-height: 1.15; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(2rem, 5vw, 2.9rem); }
h2 { font-size: 1.5rem; }
h3 { font-size: .95rem; font-weight: 600; }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 3px; }
code, .mono { font-family: var(--mono); font-size: .86em; overflow-wrap: anywhere; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--raised); padding: .5rem; }

body > header { padding-top: clamp(1.75rem, 5vw, 3.5rem); }
.top { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; margin-bottom: .7rem; }
.mark { display: flex; align-items: center; gap: .55rem; color: var(--soft); font-size: .875rem; }
.theme { border: 0; margin: 0; padding: 0; display: flex; font-size: .8125rem; }
.theme legend { position: absolute; left: -999rem; }
.theme input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.theme label { padding: .15rem .7rem; line-height: 1.45rem; color: var(--soft); background: var(--hair); cursor: pointer; }
.theme label:hover { color: var(--ink); }
.theme label:first-of-type { border-radius: 6px 0 0 6px; } .theme label:last-of-type { border-radius: 0 6px 6px 0; }
.theme :checked + label { color: var(--ink); background: var(--wash); font-weight: 600; }
.theme :focus-visible + label { outline: 2px solid var(--accent); outline-offset: 2px; position: relative; }
html:not(.js) :is(.theme, .tools) { display: none; }
.mark svg { width: 1.35rem; height: 1.35rem; color: var(--accent); flex: none; }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1rem; }
.status { font-size: .8125rem; font-weight: 600; line-height: 1; padding: .42em .75em; border-radius: 99px; background: var(--warn-wash); color: var(--warn); white-space: nowrap; }
.status.done { background: var(--good-wash); color: var(--good); }
.status.failed { background: var(--bad-wash); color: var(--bad); }
.facts { display: flex; flex-wrap: wrap; gap: .9rem 2.4rem; margin: 1.5rem 0 0; padding: 1rem 0; border-block: 1px solid var(--rule); }
.facts div { min-width: 0; }
.facts dt { font-size: .78rem; color: var(--soft); }
.facts dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }

section { margin-top: clamp(2.2rem, 5vw, 3.4rem); }
section > h2 { margin-bottom: 1rem; }
section > h2 + .lead { margin: -.7rem 0 1.1rem; color: var(--soft); font-size: .9rem; }
.alert { border-left: 3px solid var(--bad); background: var(--bad-wash); padding: .9rem 1.1rem; border-radius: 0 6px 6px 0; margin-top: 1.5rem; }
.alert.stopped { border-color: var(--warn); background: var(--warn-wash); }
.alert h3 { color: var(--bad); margin-bottom: .35rem; } .alert.stopped h3 { color: var(--warn); }
pre { margin: 0; font: .82rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--soft); white-space: nowrap; }
th, td { padding: .46rem .9rem .46rem 0; border-bottom: 1px solid var(--hair); vertical-align: baseline; }
thead th { border-bottom: 1px solid var(--rule); }
tbody tr:last-child > * { border-bottom-color: var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: anywhere; }
:is(td, th).n + :is(td, th):not(.n) { padding-left: 1.2rem; }
.results { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 2.2rem 3rem; }
.results .wide { grid-column: 1 / -1; }
.results td:first-child { white-space: nowrap; }
.stages tbody th { font-size: .9rem; color: var(--ink); }
.stages :is(th, td):nth-child(6) { padding-right: 1.6rem; }
.stages .type { color: var(--soft); }
.stages meter { width: 100%; min-width: 7rem; height: .55rem; display: block; appearance: none; border: 0; background: var(--hair); border-radius: 99px; overflow: hidden; }
.stages meter::-webkit-meter-bar { background: var(--hair); border: 0; border-radius: 99px; height: .55rem; }
.stages meter::-webkit-meter-optimum-value { background: var(--accent); border-radius: 99px; }
.stages meter::-moz-meter-bar { background: var(--accent); border-radius: 99px; }
.tag { font-size: .8rem; color: var(--soft); white-space: nowrap; }
.tag.failed { color: var(--bad); font-weight: 600; } .tag.stopped { color: var(--warn); font-weight: 600; } .tag:is(.done, .cached) { color: var(--good); }

.stage { border-top: 1px solid var(--rule); padding-top: 1.5rem; }
.stage > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .9rem; }
.stage .about { color: var(--soft); font-size: .875rem; margin: .25rem 0 1.1rem; font-variant-numeric: tabular-nums; }
.tools { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; font-size: .875rem; margin-top: -.2rem; }
.tools label { display: inline-flex; align-items: center; gap: .45rem; cursor: pointer; min-height: 1.75rem; }
.tools input[type="range"] { width: 9rem; } .tools output { min-width: 2.4rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.filter { font-size: .8125rem; margin-bottom: .5rem; color: var(--soft); display: flex; align-items: center; gap: .8rem; }
.filter input { font: inherit; color: var(--ink); background: var(--raised); border: 1px solid var(--rule); border-radius: 6px; padding: .25rem .6rem; width: min(16rem, 55vw); margin-left: .3rem; }
@media (min-width: 44rem) { .wide > .filter { justify-content: flex-end; margin-bottom: -1.95rem; position: relative; } .wide > .filter output { order: -1; } }
html:not(.js) .filter { display: none; } tr[hidden] { display: none !important; }
.curve strong.second { color: var(--second) !important; } .curve strong.accent { color: var(--accent) !important; }
.tools input { accent-color: var(--accent); margin: 0; }
.tools input[type="checkbox"] { width: 1rem; height: 1rem; margin: 0; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19.5rem), 1fr)); gap: 1.6rem 1.8rem; }
.results .curves { margin-top: 1.2rem; }
.curve { min-width: 0; }
.curve figcaption { display: flex; justify-content: space-between; gap: .8rem; align-items: baseline; font-size: .875rem; padding-bottom: .3rem; }
.curve figcaption b { font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-width: 4rem; }
.curve output { color: var(--soft); font-variant-numeric: tabular-nums; font-size: .8125rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.curve output strong { color: var(--ink); font-weight: 600; }
.plot { min-height: 11rem; width: 100%; overflow: hidden; touch-action: pan-y; }
.uplot { font-family: var(--sans); }
.u-hz .u-cursor-x, .u-vt .u-cursor-y { border-right: 1px solid var(--faint); }
.block { margin-top: 1.8rem; }
.block > h3 { margin-bottom: .5rem; }

.samples td { vertical-align: top; white-space: pre-wrap; font-size: .9rem; line-height: 1.5; padding-top: .7rem; padding-bottom: .7rem; }
.samples td + td { border-left: 1px solid var(--hair); padding-left: .9rem; }
.samples th + th { padding-left: .9rem; }
.samples td:first-child { color: var(--soft); }
@media (max-width: 44rem) {
  .stages :is(th, td):is(:nth-child(2), :nth-child(7)) { display: none; }
  .samples thead { position: absolute; left: -999rem; }
  .samples tr, .samples td { display: block; border: 0; padding: 0; }
  .samples tr { padding: .9rem 0; border-bottom: 1px solid var(--rule); }
  .samples td + td { border: 0; padding: 0; margin-top: .6rem; }
  .samples td::before { content: attr(data-column); display: block; font-size: .78rem; font-weight: 600; color: var(--soft); }
}
.pictures { margin-top: 2rem; } .pictures:first-of-type { margin-top: 0; }
.pictures figcaption { font-weight: 600; padding-bottom: .5rem; }
.sheet { position: absolute; } .sheet .crisp { image-rendering: pixelated; }
.grid { width: auto; font-size: .8rem; line-height: 1.35; }
.grid td, .grid th { border: 0; padding: 0 .5rem .5rem 0; vertical-align: top; }
.grid th { white-space: normal; overflow-wrap: anywhere; font-size: .8rem; line-height: 1.3; }
.grid th[scope="row"] { min-width: 6rem; max-width: 14rem; padding-right: .9rem; }
.grid td svg, .scroll > svg { display: block; border-radius: 2px; }
.grid :is(td p, thead th) { color: var(--soft); } .grid td p { width: 0; min-width: 100%; margin-top: .2rem; }
.grid tbody th { vertical-align: middle; color: var(--ink); font-weight: 400; }
.grid .numbers td { text-align: center; vertical-align: middle; font-variant-numeric: tabular-nums; padding: .3rem 0; border: 1px solid var(--paper); }
.grid.close :is(td, th):not([scope="row"]) { padding: 0 1px 1px 0; } .grid.close .numbers :is(td, th) { padding-block: 0; border-width: 0; }
.grid.close .small { font-size: .66rem; white-space: nowrap; margin: 0 -.3rem; }
.grid .numbers th { padding-block: .3rem; }
${[...Array(11).keys()].map((i) => `.grid .s${i} { background: color-mix(in srgb, var(--accent) ${i * 4.5}%, var(--raised)); }`).join("\n")}
.numbers .small { opacity: 0; } .numbers td:is(:hover, .at) .small { opacity: 1; }
.numbers .at { outline: 2px solid var(--ink); outline-offset: -2px; }
.frames > input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.frames > label { display: inline-block; min-width: 2.4rem; min-height: 1.75rem; padding: .15rem .6rem; margin: 0 1px .7rem 0; font-size: .8125rem; line-height: 1.45rem; text-align: center; font-variant-numeric: tabular-nums; color: var(--soft); background: var(--hair); cursor: pointer; }
.frames > label:hover { color: var(--ink); }
.frames > label:first-of-type { border-radius: 6px 0 0 6px; } .frames > label:last-of-type { border-radius: 0 6px 6px 0; }
.frames > :checked + label { color: var(--ink); background: var(--wash); font-weight: 600; box-shadow: inset 0 -2px 0 var(--accent); }
.frames > :focus-visible + label { outline: 2px solid var(--accent); outline-offset: 2px; position: relative; }
.frame { display: none; }
${[...Array(mostGrids).keys()].map((i) => `.frames > input:nth-of-type(${i + 1}):checked ~ .frame:nth-of-type(${i + 1})`).join(",\n")} { display: block; }
ul.notes { list-style: none; font-size: .9rem; } ul.notes li { padding: .2rem 0 .2rem 1.1rem; text-indent: -1.1rem; } ul.notes li::before { content: "– "; color: var(--faint); }
details { margin-top: 1.4rem; font-size: .9rem; }
summary { cursor: pointer; color: var(--soft); width: fit-content; } summary:hover { color: var(--ink); }
details[open] > summary { margin-bottom: .7rem; }
.more { color: var(--soft); font-size: .8125rem; margin-top: .4rem; }
.environment { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr); gap: .3rem 2rem; font-size: .9rem; }
.environment dt { color: var(--soft); } .environment dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.digest { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 0; width: 70%; }
.digest code { overflow-wrap: normal; user-select: all; }
body > footer { margin-top: 4rem; padding-bottom: 3rem; color: var(--soft); font-size: .8125rem; }
body > footer p { border-top: 1px solid var(--rule); padding-top: 1rem; }
@media print { .tools, .theme, .zooms, .help, .filter { display: none; } section { break-inside: avoid-page; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`
