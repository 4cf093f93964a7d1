import type { MetaRecord } from '#xenlight/protocol-d/keep/meta-record.js'
import { geometry } from './world.js'

/** Of a node whose disk is new to it. */
export const record: MetaRecord = {
  ...{ pair: 'pair', size: geometry.size, blockSize: geometry.blockSize, extentBlocks: geometry.extentBlocks },
  ...{ logSize: geometry.logSize, disk: 'consistent', generations: { current: 'g', bases: [], history: [] } },
  ...{ role: 'secondary', mode: 'direct', checkpoint: 0, promotion: 0, isVolatile: false, activity: [] },
  log: { id: 1, head: 0, sequence: 1, previous: 0 },
}
