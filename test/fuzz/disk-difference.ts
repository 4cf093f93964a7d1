import { safeParseDisk, toLibxlJson } from 'xenlight'
import { decodeText, encodeText } from '#xenlight/byte-text.js'
import type { DiskAnswer } from '../real/libxlutil.js'

/** How our answer to a disk's words differs from libxlutil's, byte for byte; undefined where it does not. */
export function diskDifference(words: readonly Buffer[], real: DiskAnswer | 'crash'): string | undefined {
  let ours: { accepted: boolean; text: Buffer }
  try {
    const result = safeParseDisk(words.map(decodeText))
    const text = result.success ? toLibxlJson(result.disk) : result.error.libxlMessage
    ours = { accepted: result.success, text: encodeText(text) }
  } catch (error) {
    return `ours threw: ${error instanceof Error ? error.stack : error}`
  }
  if (real === 'crash') return undefined
  const accepted = real.rc === 0
  const text = real.json ?? real.report
  if (accepted === ours.accepted && text.equals(ours.text)) return undefined
  const say = (accepted: boolean, text: Buffer) => `${accepted ? 'accepted' : 'refused'} ${JSON.stringify(`${text}`)}`
  return `libxl ${say(accepted, text)}\nours  ${say(ours.accepted, ours.text)}`
}
