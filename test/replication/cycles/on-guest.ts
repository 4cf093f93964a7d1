import t, { type Test } from 'tap'
import type { CycleOutcome } from '#xenlight/replication/cycles/cycle-outcome.js'
import { realPart } from '../../support/real-part.js'
import { type CycleGuest, cycleGuest, type GuestSettings } from './cycle-guest.js'

export const onGuest = (name: string, settings: GuestSettings, work: (t: Test, guest: CycleGuest) => Promise<void>) =>
  t.test(name, async t => {
    const guest = await realPart(t, () => cycleGuest(t, settings))
    if (guest !== undefined) await work(t, guest)
  })

export function settled(outcome: CycleOutcome): CycleOutcome & { kind: 'settled' } {
  if (outcome.kind !== 'settled') throw new Error(JSON.stringify(outcome))
  return outcome
}

/** The replicas are as the disks. */
export const isEqual = async (t: Test, guest: CycleGuest, what: string) => {
  for (const [index, volume] of guest.volumes.entries())
    t.ok(guest.target.contents(volume).equals(await guest.contents(index)), `${what}: ${volume} is equal`)
}

/** All that QEMU has of ours. */
export async function namesLeft({ qemu }: CycleGuest): Promise<string[]> {
  const nodes = await qemu.qmp<{ 'node-name': string; 'dirty-bitmaps'?: { name?: string }[] }[]>(
    'query-named-block-nodes',
    { flat: true },
  )
  const jobs = await qemu.qmp<{ id: string }[]>('query-jobs')
  return [
    ...nodes.map(node => node['node-name']).filter(name => name.startsWith('xl-')),
    ...nodes.flatMap(node => (node['dirty-bitmaps'] ?? []).flatMap(({ name }) => name ?? [])),
    ...jobs.map(({ id }) => id),
  ]
}

export function failed(outcome: CycleOutcome): CycleOutcome & { kind: 'failed' } {
  if (outcome.kind !== 'failed') throw new Error(JSON.stringify(outcome))
  return outcome
}
