import { safeParseDisk, toLibxlJson } from 'xenlight'
import { decodeText, encodeText } from '#xenlight/byte-text.js'
import type { DiskAnswer, Libxlutil } from '../real/libxlutil.js'
import { type GeneratorOptions, generateDiskSpecs } from './disk-spec-generator.js'
import type { Subject, Words } from './fuzz.js'

/** xlu_disk_parse beside safeParseDisk: accepted or refused, and then every byte of the record's JSON or of the message. */
export const disks = (libxlutil: Libxlutil, options?: GeneratorOptions): Subject<DiskAnswer> => ({
  generate: seed => generateDiskSpecs(seed, options),
  ask: requests => libxlutil.disks(requests.map(toBytes)),
  accepts: ({ rc }) => rc === 0,
  difference,
})

const enormous = 32 * 1024 * 1024

const toBytes = (words: Words) => words.map(word => Buffer.from(word, 'latin1'))

function difference(words: Words, real: DiskAnswer | 'crash'): string | undefined {
  const result = safeParseDisk(toBytes(words).map(decodeText))
  const ours = encodeText(result.success ? toLibxlJson(result.disk) : result.error.libxlMessage)
  if (real === 'crash') return undefined
  const accepted = real.rc === 0
  const text = real.json ?? real.report
  if (accepted === result.success && text.equals(ours)) return undefined
  // Of tens of megabytes of messages we give the first ones; the first difference in fewer is told all the same.
  if (ours.length > enormous && text.subarray(0, ours.length).equals(ours)) return undefined
  const say = (accepted: boolean, text: Buffer) => `${accepted ? 'accepted' : 'refused'} ${JSON.stringify(`${text}`)}`
  return `libxl ${say(accepted, text)}\nours  ${say(result.success, ours)}`
}
