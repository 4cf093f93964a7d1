import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { openLeaseEtcd } from '../../command-line/lease-choice.js'
import { printable } from '../../printable.js'
import { type HubRecord, hubRecordKey, readHubRecord } from '../../replication/hub/hub-record.js'
import type { HubsCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** A hub that a catalogue knows, under its lease. */
interface KnownHub {
  lease: string
  /** Who has the lease now; undefined where nobody has. */
  holder: string | undefined
  epoch: number
  /** What the holder says is of this record: not of one of an earlier holder. */
  isServing: boolean
  hub: HubRecord
}

/** Lists the hubs that a cluster of etcd knows by their leases. */
export async function runHubs({ json, ...choice }: HubsCommand, io: Io): Promise<number> {
  using etcd = openLeaseEtcd(choice)
  const known: KnownHub[] = []
  for (const { name, key, value, epoch: written } of await etcd.catalogue.list()) {
    const hub = key === hubRecordKey ? readHubRecord(value) : undefined
    if (hub === undefined) continue
    const { holder, epoch } = await etcd.leases.look(name)
    known.push({ lease: name, holder, epoch, isServing: holder !== undefined && epoch === written, hub })
  }
  io.write(1, json ? jsonLine({ hubs: known }) : known.map(hubText).join('') || 'no hub has said where it serves\n')
  return exitStatus('done')
}

function hubText({ lease, holder, isServing, hub }: KnownHub): string {
  const { name, host, listen, nbd, groups, cut } = hub
  const has = holder === undefined ? 'nobody has the lease' : `${printable(holder)} has the lease`
  const serves = isServing ? 'serves' : `served last; ${has}`
  const places = `agents at ${printable(listen ?? 'no address')}; NBD at ${printable(nbd ?? 'no address')}`
  return [
    `${printable(lease)}: hub ${printable(name)} on ${printable(host)} ${serves}; ${places}\n`,
    ...Object.entries(groups).map(([group, state]) => `  ${printable(group)}: ${printable(state)}\n`),
    ...(cut === 0 ? [] : [`  and ${cut} more, which there is no room for\n`]),
  ].join('')
}
