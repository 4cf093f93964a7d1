import type { Test } from 'tap'
import { connectNbd, type NbdClient } from 'xenlight/nbd'
import type { LeasedNode } from '../../lease/pair/leased-node.js'
import { type LeasedWorld, leasedWorld } from '../../lease/pair/leased-world.js'
import { realPart } from '../../support/real-part.js'
import { eventually } from '../eventually.js'

/** Long enough for a machine that is busy. */
export const ttl = 3000

/** A pair under a lease; the first node is Primary, and nobody writes. */
export function pairUnderLease(t: Test): Promise<LeasedWorld | undefined> {
  return realPart(t, () => leasedWorld(t, { members: 1, ttl, isWithoutGuests: true }))
}

export const guestOf = ({ nbd }: LeasedNode): Promise<NbdClient> => connectNbd({ path: nbd }, { export: 'disk' })

export async function until(node: LeasedNode, what: object): Promise<void> {
  let last: unknown
  const isSo = async () => {
    const status = await node.status()
    last = status
    return Object.entries(what).every(([key, value]) => status?.[key as keyof typeof status] === value)
  }
  await eventually(`${node.name} is ${JSON.stringify(what)}`, isSo, () => JSON.stringify(last))
}

/** Waits until a guest is served there. */
export const untilServed = (node: LeasedNode) =>
  eventually(`${node.name} serves`, async () => {
    const status = await node.status()
    return status?.role === 'primary' && !status.asksAlone && status.lease?.state === 'held'
  })

export const write = async (guest: NbdClient, value: number) => {
  await guest.write(0, Buffer.alloc(512, value))
  await guest.flush()
}
export const read = async (guest: NbdClient) => (await guest.read(0, 1))[0]
export const etcd = ({ cluster }: LeasedWorld) => ['--etcd', cluster.options.endpoints.join(',')]
