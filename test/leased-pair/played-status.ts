import type { ServedStatus } from 'xenlight/protocol-d'
import type { PairNode } from '#xenlight/leased-pair/pair-node.js'
import type { PairRecord } from '#xenlight/leased-pair/pair-record.js'
import { servedStatus } from '../metrics/samples.js'

export const anna: PairNode = { name: 'anna', side: 'listen' }
export const berta: PairNode = { name: 'berta', side: 'connect' }

/** Of a Secondary that has lost its Primary. */
export const secondary = (more: Partial<ServedStatus> = {}): ServedStatus =>
  servedStatus({
    ...{ role: 'secondary', isWriter: false, connection: 'none', peerRole: 'unknown', promotion: 3, discards: false },
    ...more,
  })

export const record = (more: Partial<PairRecord> = {}): PairRecord => ({
  ...{ nodes: [anna, berta], primary: berta, nbd: 'nbd+unix:///disk?socket=/n', promotion: 3, alone: null },
  ...{ state: more.alone ? 'alone' : 'equal', forced: null, isForced: false },
  ...more,
})
