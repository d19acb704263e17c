/** Refuses with what was found in place of what; always throws. */
export type Refuse = (expected: string, received: string) => never

/** Sees height and width before anything of their size is made, and throws where they are too much. */
export type Allow = (height: number, width: number) => void
