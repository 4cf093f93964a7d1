import type { Io } from '../../command-line/io.js'
import { openLeaseEtcd } from '../../command-line/lease-choice.js'
import type { PairNode } from '../../leased-pair/pair-node.js'
import { pairKey, readPairRecord } from '../../leased-pair/pair-record.js'
import { printable } from '../../printable.js'
import type { PairsCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { toJson } from '../status-text.js'

/** Says which pairs the catalogue knows, a line each, and who has their leases. */
export async function runPairs({ json, timeout = 10_000, ...choice }: PairsCommand, io: Io): Promise<number> {
  using etcd = openLeaseEtcd(choice)
  const signal = AbortSignal.timeout(timeout)
  const records = (await etcd.catalogue.list(undefined, { signal })).filter(({ key }) => key === pairKey)
  for (const { name, value } of records) {
    const pair = readPairRecord(value)
    const { holder, epoch } = await etcd.leases.look(name, { signal })
    if (json) io.write(1, toJson({ lease: name, holder: holder ?? null, epoch, pair: pair ?? null }))
    else io.write(1, `${pairText(name, holder, pair)}\n`)
  }
  return exitStatus('done')
}

function pairText(name: string, holder: string | undefined, pair: ReturnType<typeof readPairRecord>): string {
  const has = holder === undefined ? 'nobody has its lease' : `${printable(holder)} has its lease`
  if (pair === undefined) return `${printable(name)}: ${has}; its record is no pair's`
  const { nodes, primary, promotion, alone, forced } = pair
  const parts = [
    `${nodes.map(nodeText).join(', ')}`,
    `primary: ${nodeText(primary)}, promotion ${promotion}`,
    alone === null ? 'both held the same' : `${nodeText(alone)} alone may be promoted`,
  ]
  if (forced !== null)
    parts.push(`forced: ${nodeText(forced.node)}, promotion ${forced.promotion} (${printable(forced.reason)})`)
  return `${printable(name)}: ${has}; ${parts.join('; ')}`
}

const nodeText = ({ name, side }: PairNode): string =>
  `${printable(name)} (${side === 'listen' ? 'listens' : 'connects'})`
