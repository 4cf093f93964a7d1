import { Buffer } from 'node:buffer'
import type { VolumeReport } from '../wire/message.js'
import { kindTable } from '../wire/message-kinds.js'

/** How much may be said of why a state is so where there is not place for all, in characters. */
const whyAtMost = 64
/** So many volumes have place with their states alone, whatever their names. */
const statesAtMost = 1024

/** Of a host's volumes, as much as a message has place for. */
export function fitReport(volumes: readonly VolumeReport[]): readonly VolumeReport[] {
  if (fits(volumes)) return volumes
  const brief = volumes.map(({ why, ...one }) => ({ ...stateOf(one), why: startOf(why) }))
  return fits(brief) ? brief : volumes.slice(0, statesAtMost).map(stateOf)
}

const stateOf = ({ group, volume, size, state }: VolumeReport): VolumeReport => ({ group, volume, size, state })

const startOf = (why: unknown) => (typeof why === 'string' ? why.slice(0, whyAtMost) : undefined)

const fits = (volumes: readonly VolumeReport[]): boolean =>
  Buffer.byteLength(JSON.stringify({ volumes })) <= kindTable.report.most - 64
