import { style as drawn } from "../graph/draw/style.js"

/** The look of the drawn graph and of what opens beside it. */
export const graphStyle = `
${drawn}
.viewer .mg { --mg-ground: transparent; --mg-ink: var(--ink); --mg-soft: var(--soft); --mg-line: var(--faint); --mg-box: var(--paper); --mg-edge: var(--rule); --mg-tensor: var(--accent); --mg-stage: var(--accent); --mg-io: var(--wash); --mg-cluster: var(--paper); --mg-frozen: var(--wash); --mg-ice: var(--soft); }
.viewer .mg .mg-label-ground { fill: var(--raised); }
.viewer .mg .is-waiting .mg-frame { stroke: var(--faint); stroke-dasharray: 3 3; }
.viewer .mg .is-waiting text { fill: var(--soft); }
.viewer .mg .is-cached .mg-frame { fill: var(--wash); }
.viewer .mg .is-failed .mg-frame { stroke: var(--bad); stroke-width: 2; fill: var(--bad-wash); }
.viewer .mg .is-failed .mg-note { fill: var(--bad); }
.viewer .mg .is-stopped .mg-frame { stroke: var(--warn); fill: var(--warn-wash); }
.viewer .mg .is-stopped .mg-note { fill: var(--warn); }
.viewer .mg a { color: var(--ink); cursor: pointer; outline: none; }
.viewer .mg a:hover .mg-frame { stroke-width: 2.2; }
.viewer .mg a:focus-visible .mg-frame { stroke: var(--ink); stroke-width: 3; stroke-dasharray: none; }
.viewer .mg a[aria-current] .mg-frame { stroke-width: 2.6; fill: var(--wash); }
.viewer { border: 1px solid var(--rule); border-radius: 10px; background: var(--raised); overflow: clip; scroll-margin-top: .5rem; }
.bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .3rem 1rem; padding: .4rem .5rem .4rem .9rem; border-bottom: 1px solid var(--hair); font-size: .875rem; }
.trail { min-width: 0; flex: 1 1 6rem; overflow-wrap: anywhere; }
.trail button { border: 0; background: none; padding: .2rem 0; font: inherit; color: var(--accent); cursor: pointer; text-decoration: underline; text-underline-offset: .18em; text-decoration-thickness: 1px; }
.trail button[aria-current] { color: var(--ink); text-decoration: none; font-weight: 600; cursor: default; }
.here { margin-left: .4rem; }
.zooms { display: inline-flex; align-items: center; gap: .1rem; }
.zooms[hidden] { display: none; }
.zooms button { min-width: 2rem; height: 2rem; padding: 0 .5rem; border: 0; border-radius: 6px; background: none; color: var(--ink); font: inherit; cursor: pointer; }
.zooms button:hover { background: var(--hair); }
.zooms output { min-width: 3.4rem; text-align: center; font-variant-numeric: tabular-nums; color: var(--soft); }
.canvas { text-align: center; padding: .75rem; overflow: auto; }
.canvas:focus-visible { outline-offset: -3px; }
.js .canvas { height: var(--high, clamp(20rem, 72vh, 46rem)); padding: 0; overflow: hidden; cursor: grab; touch-action: pan-y; user-select: none; position: relative; }
.js .canvas.loose { touch-action: none; }
.js .canvas.dragged, .js .canvas.dragged a { cursor: grabbing; }
.js .drawing { position: absolute; inset: 0; } .drawing[hidden] { display: none; }
.js .drawing > svg { width: 100%; height: 100%; max-width: none; display: block; }
.js .drawing.table { overflow: auto; padding: .9rem 1.2rem; text-align: left; cursor: auto; user-select: text; }
.drawing.table table { max-width: 44rem; }
.help { font-size: .8125rem; color: var(--soft); padding: .45rem .9rem; border-top: 1px solid var(--hair); }
@media (hover: none) { .by-mouse { display: none; } } @media (hover: hover) { .by-touch { display: none; } }
html:not(.js) :is(.bar, .help, .detail .close, .functions button) { display: none; }
.details { display: none; }
html:not(.js) .details, .opened .details { display: block; }
html:not(.js) .detail:not(:target) { display: none; }
.js .detail:not(.open) { display: none; }
.detail { padding: 1rem 1.2rem 1.3rem; font-size: .875rem; border-top: 1px solid var(--hair); outline-offset: -3px; }
.detail > header { display: flex; align-items: baseline; gap: .7rem; }
.detail h3 { font-size: 1.05rem; overflow-wrap: anywhere; min-width: 0; }
.detail .close { margin-left: auto; }
.detail h4 { margin: 1.1rem 0 .35rem; font-size: .78rem; font-weight: 600; color: var(--soft); }
.detail > p { margin-top: .15rem; }
.soft { color: var(--soft); }
.detail .source { color: var(--soft); }
.detail button, .tools button { font: inherit; font-size: .8125rem; padding: .2rem .65rem; border: 1px solid var(--rule); border-radius: 6px; background: var(--paper); color: var(--ink); cursor: pointer; }
.detail button:hover, .tools button:hover { border-color: var(--accent); }
.detail .count { color: var(--soft); }
.detail .wrong { margin-top: .7rem; padding: .6rem .8rem; background: var(--bad-wash); border-radius: 6px; }
.functions { list-style: none; } .functions li { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .5rem; padding: .15rem 0; } .functions .mono { min-width: 2.6rem; }
.pairs { margin-top: .5rem; } h4 + .pairs { margin-top: 0; }
.pairs div { display: grid; grid-template-columns: minmax(6.5rem, 38%) minmax(0, 1fr); gap: .1rem .9rem; padding: .22rem 0; border-bottom: 1px solid var(--hair); }
.pairs dt { color: var(--soft); overflow-wrap: anywhere; } .pairs dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.whole { user-select: all; font-size: .76rem; }
.verdict { margin-top: 1.3rem; font-size: 1.1rem; max-width: 46rem; text-wrap: pretty; }
.side.accent { border-left: 3px solid var(--accent); padding-left: .8rem; } .side.second { border-left: 3px solid var(--second); padding-left: .8rem; }
strong.accent, .differences .accent, .pair .accent { color: var(--accent); } strong.second, .differences .second, .pair .second { color: var(--second); }
.differences th[scope="row"] { width: 34%; white-space: normal; overflow-wrap: anywhere; color: var(--ink); font-weight: 400; } .differences td { width: 33%; font-variant-numeric: tabular-nums; }
.paired h3 { padding-bottom: .5rem; }
.differs { background: var(--hair); } .pair { display: inline-flex; flex-wrap: wrap; gap: 0 .9rem; justify-content: end; }
.pair i { font-style: normal; font-size: .72rem; opacity: .8; } td.differs:not(.n) .pair { justify-content: start; }
.compared tbody th { font-size: .9rem; color: var(--ink); } .tag.same { color: var(--good); } .tag.different { color: var(--second); font-weight: 600; } .digests { white-space: nowrap; }
@media (min-width: 56rem) {
  .opened .panes { display: grid; grid-template-columns: minmax(0, 1fr) minmax(20rem, 38%); }
  .js .details { height: var(--high, clamp(20rem, 72vh, 46rem)); overflow-y: auto; border-left: 1px solid var(--hair); }
  .js .detail { border-top: 0; }
}
`
