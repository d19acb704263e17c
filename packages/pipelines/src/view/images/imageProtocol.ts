/** How a terminal shows images, as far as its environment tells. */
import { isLive, type Screen, type Variables } from "../ink.js"

/** Three ways to draw, the path of the file, or nothing at all. */
export const imageProtocols = ["kitty", "iterm", "sixel", "path", "off"] as const
export type ImageProtocol = (typeof imageProtocols)[number]

const wishOf = (text: string | undefined): ImageProtocol | undefined => imageProtocols.find((one) => one === text)

/** Terminals that draw by each protocol, and say who they are. */
const isKitty = ({ TERM, TERM_PROGRAM, KITTY_WINDOW_ID, GHOSTTY_RESOURCES_DIR }: Variables): boolean =>
  TERM === "xterm-kitty" ||
  TERM === "xterm-ghostty" ||
  TERM_PROGRAM === "ghostty" ||
  KITTY_WINDOW_ID !== undefined ||
  GHOSTTY_RESOURCES_DIR !== undefined

const isIterm = ({ TERM_PROGRAM, LC_TERMINAL }: Variables): boolean =>
  ["iTerm.app", "WezTerm", "mintty"].includes(TERM_PROGRAM ?? "") || LC_TERMINAL === "iTerm2"

/** A multiplexer keeps the variables of the terminal around it, and passes on none of its escape codes that it does not know. */
const isMultiplexer = ({ TERM = "", TMUX, STY, ZELLIJ }: Variables): boolean =>
  /^(?:screen|tmux)/.test(TERM) || [TMUX, STY, ZELLIJ].some((value) => value !== undefined && value !== "")

/**
 * The protocol of a screen. `ask` means that the environment does not tell: the terminal itself does (`asksSixel`).
 * @param wanted  what the user asked for, before `MILLRACE_IMAGES` does; `auto` finds out. A log gets paths in any case.
 */
export const imageProtocol = (
  screen: Screen,
  env: Variables,
  wanted: ImageProtocol | "auto" = "auto",
): ImageProtocol | "ask" => {
  const wish = wanted === "auto" ? wishOf(env.MILLRACE_IMAGES) : wanted
  if (wish === "off") return "off"
  if (!isLive(screen, env)) return "path"
  if (wish !== undefined) return wish
  if (isMultiplexer(env)) return "ask"
  if (isKitty(env)) return "kitty"
  return isIterm(env) ? "iterm" : "ask"
}
