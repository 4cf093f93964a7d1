import { randomUUID } from 'node:crypto'
import { HubServer, readHubConfig } from 'xenlight/replication'
import type { SessionMessage } from '#xenlight/replication/wire/session.js'
import { eventually } from '../../test/protocol-d/eventually.js'
import { mebibyte } from './make-disk.js'
import { group, type Place } from './place.js'

const volume = 0
const channel = 1

/**
 * Gives a hub that does not run a replica of a large disk, as an agent would that sends what is not zeroes: a boot sector, and so many MiB of data
 * behind it, evenly spread. To have an agent compare all of it takes longer than all else.
 */
export async function sparseReplica(
  place: Place,
  { size, boot, parts }: { size: number; boot: Uint8Array; parts: number },
): Promise<void> {
  const { control: _, tls: __, ...options } = readHubConfig(place.hubConfig, 'the hub')
  await using server = await HubServer.open(options)
  const got: SessionMessage[] = []
  const send = (message: SessionMessage) => {
    got.push(message)
    return true
  }
  const nothing = async () => new Uint8Array()
  const agent = server.hub.connected({ send, ask: nothing, askBytes: nothing, close() {} }, 'anna')
  const volumes = [{ number: volume, name: 'disk', size }]
  agent.message({ kind: 'attach', channel, group, epoch: 0, stream: randomUUID(), oldest: 1, volumes })
  await eventually('the agent is attached', () => got.some(({ kind }) => kind === 'attached'))
  let last = 0
  const placed = () => ({ channel, sequence: ++last, time: Date.now() * 1000 })
  agent.message({ kind: 'unsettled', reason: 'it is new', ...placed() })
  for (let part = 0; part < parts; part++) {
    const data = new Uint8Array(mebibyte).fill(1 + (part % 255))
    if (part === 0) data.set(boot)
    const offset = Math.floor((size / parts / mebibyte) * part) * mebibyte
    agent.message({ kind: 'fill', volume, offset, data, ...placed() })
  }
  agent.message({ kind: 'settled', ...placed() })
  await eventually('all is durable', () => got.some(one => one.kind === 'durable' && one.sequence === last))
}
