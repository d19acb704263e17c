/** Colour and cursor of a terminal, where it has them. */

export type Variables = Readonly<Record<string, string | undefined>>

/** Where text goes: a process's own stderr, or a test's array. */
export interface Screen {
  readonly write: (text: string) => unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export type Ink = Readonly<Record<"bold" | "dim" | "green" | "red" | "yellow" | "cyan", (text: string) => string>>

const set = (value: string | undefined): boolean => value !== undefined && value !== ""

/** NO_COLOR wins over FORCE_COLOR, and both over what the terminal is. */
export const hasColour = (screen: Screen, env: Variables): boolean => {
  if (set(env.NO_COLOR)) return false
  if (set(env.FORCE_COLOR)) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false"
  return screen.isTTY === true && env.TERM !== "dumb"
}

/** Whether lines can be drawn again: a terminal that a person looks at. */
export const isLive = (screen: Screen, env: Variables): boolean =>
  screen.isTTY === true && env.TERM !== "dumb" && (!set(env.CI) || env.CI === "false")

export const inkFor = (screen: Screen, env: Variables): Ink => {
  const colour = hasColour(screen, env)
  const paint = (on: number, off: number) => (text: string) =>
    colour && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    green: paint(32, 39),
    red: paint(31, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  }
}
