/** The key of a stage: what decides what it makes, and so whether that has been made before. */
import { sha256 } from "../artifact.js"
import { jsonHash } from "../json.js"
import type { StageNode } from "../node.js"
import type { Key } from "../random/key.js"

/** All that decides a stage's outputs, part by part, so that a miss can be explained. */
export interface KeyParts {
  /** `type@version` */
  readonly node: string
  /** Of the text of the stage's own `run`. What it calls is not seen: a stage that computes otherwise gets a new version. */
  readonly code: string
  readonly config: unknown
  /** Digests of the inputs, by port. */
  readonly inputs: Readonly<Record<string, string>>
  /** The stage's own random key: the seed of the run, split by the stage's name. */
  readonly random: string
  readonly engine: string
  readonly instructions: string
  readonly millrace: string
}

/** What is the same for all stages of a run. */
export type Machine = Pick<KeyParts, "engine" | "instructions" | "millrace">

const hex = (word: number): string => word.toString(16).padStart(8, "0")

export const keyParts = (
  node: StageNode,
  inputs: Readonly<Record<string, string>>,
  key: Key,
  machine: Machine,
): KeyParts => ({
  node: `${node.type}@${node.version}`,
  code: sha256(node.code),
  config: node.config,
  inputs,
  random: hex(key.hi) + hex(key.lo),
  ...machine,
})

/** SHA-256 of the parts, in hex. */
export const stageKey = (parts: KeyParts): string => jsonHash(parts)
