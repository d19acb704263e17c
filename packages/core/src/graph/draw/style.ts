/** The colours and type of drawn graphs. Every selector is under `.mg`, so that a page around the SVG stays as it is. */

export type Theme = "auto" | "light" | "dark"

const light =
  "--mg-ground:#fff;--mg-ink:#1c2430;--mg-soft:#5c6675;--mg-line:#8a94a6;--mg-box:#fff;--mg-edge:#c3cad5;" +
  "--mg-tensor:#2f6fde;--mg-stage:#7a4fd0;--mg-io:#eef1f6;--mg-cluster:#f6f8fb;--mg-frozen:#eaf4fb;--mg-ice:#2b86b8"
const dark =
  "--mg-ground:#12161d;--mg-ink:#e8ecf2;--mg-soft:#98a3b3;--mg-line:#6b7688;--mg-box:#1b212b;--mg-edge:#3a4453;" +
  "--mg-tensor:#6ea0ff;--mg-stage:#b18cff;--mg-io:#232b37;--mg-cluster:#171c24;--mg-frozen:#152734;--mg-ice:#66b8e3"

export const style = [
  `.mg{${light};color:var(--mg-ink);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;max-width:100%;height:auto}`,
  `.mg-dark{${dark}}`,
  `@media(prefers-color-scheme:dark){.mg-auto{${dark}}}`,
  ".mg .mg-ground{fill:var(--mg-ground)}",
  ".mg text{text-anchor:middle;fill:currentColor}",
  ".mg .mg-frame{fill:var(--mg-box);stroke:var(--mg-edge);stroke-width:1.2}",
  ".mg .mg-tensor .mg-frame{stroke:var(--mg-tensor)}",
  ".mg .mg-stage .mg-frame{stroke:var(--mg-stage)}",
  ".mg .mg-input .mg-frame,.mg .mg-output .mg-frame{fill:var(--mg-io)}",
  ".mg .mg-cluster .mg-frame{fill:var(--mg-cluster);stroke-width:1}",
  ".mg .mg-frozen .mg-frame{stroke:var(--mg-ice);stroke-dasharray:5 3.5}",
  ".mg .mg-tensor.mg-frozen .mg-frame,.mg .mg-stage.mg-frozen .mg-frame{fill:var(--mg-frozen)}",
  ".mg .mg-name{font-size:14px;font-weight:600}",
  ".mg .mg-port{font-size:13px;font-weight:500}",
  '.mg .mg-detail,.mg .mg-note,.mg .mg-label,.mg .mg-label-port{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}',
  ".mg .mg-detail,.mg .mg-note{font-size:11px;fill:var(--mg-soft)}",
  ".mg .mg-frozen .mg-note{fill:var(--mg-ice)}",
  ".mg .mg-cluster-name{font-size:12px;font-weight:600;text-anchor:start;fill:var(--mg-soft);paint-order:stroke;stroke:var(--mg-cluster);stroke-width:5px}",
  ".mg .mg-frozen-name{fill:var(--mg-ice)}",
  ".mg .mg-label,.mg .mg-label-port{font-size:10.5px;fill:var(--mg-soft)}",
  ".mg .mg-label-ground{fill:var(--mg-ground);opacity:.88}",
  ".mg .mg-label-port{fill:currentColor}",
  ".mg .mg-arrow{fill:none;stroke:var(--mg-line);stroke-width:1.3}",
  ".mg .mg-head{fill:var(--mg-line)}",
].join("\n")
