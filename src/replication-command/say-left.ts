import { complain } from '../command-line/complain.js'
import type { Io } from '../command-line/io.js'

/** Says what of a protection that was ended could not be taken out of QEMU. @param answer an agent's, which may be of another version */
export function sayLeft(io: Io, name: string, answer: unknown): void {
  const { left } = Object(answer)
  if (!Array.isArray(left)) return
  for (const what of left) complain(io, name, `left in QEMU: ${String(what).slice(0, 1000)}`)
}
