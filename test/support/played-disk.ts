import type { Test } from 'tap'
import { addDisk, type DiskDevice, type DiskHost, parseDisk, type ScriptCall, type ScriptOutcome } from 'xenlight'
import type { Xenstore } from 'xenlight/xenstore'
import { type EmbeddedStore, embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { populate } from './disk-store.js'

/** A store with a PV guest (11), a driver domain (7), and as many connections as there are players. */
export interface Stage {
  embedded: EmbeddedStore
  /** The toolstack's. */
  store: Xenstore
  /** Another connection, of any domain. */
  as(domid: number): Xenstore
}

export async function stage(t: Test): Promise<Stage> {
  const embedded = embeddedStore({ domains: [7, 11] })
  t.teardown(() => embedded.close())
  const as = (domid: number) => embedded.connect({ domid })
  const store = as(0)
  await populate(store, [{ domid: 11, type: 'pv' }])
  return { embedded, store, as }
}

/** What runs scripts, and writes down how it was called. */
export function scriptedHost(
  play: (call: ScriptCall) => Promise<Partial<ScriptOutcome>> = async () => ({}),
): DiskHost & { calls: ScriptCall[] } {
  const calls: ScriptCall[] = []
  return {
    domid: 0,
    calls,
    examine: async () => ({ target: 'block' }),
    createEmptyCdrom: async () => {},
    async runScript(call) {
      calls.push(call)
      return { status: 0, stderr: '', ...(await play(call)) }
    },
  }
}

/** Puts a disk in the store and waits for nobody. */
export async function written(store: Xenstore, spec: string): Promise<DiskDevice> {
  const host = scriptedHost()
  const { device } = await addDisk(store, parseDisk(spec), { domid: 11, host, wait: false, libxlExact: true })
  return device
}

/** What a played backend does when its state becomes one of these, or its script has set a physical-device. */
export type Moves = Partial<Record<'1' | '2' | '5' | 'physical-device', Record<string, string>>>

export const goodMoves: Moves = {
  1: { state: '2' },
  'physical-device': { sectors: '2048', state: '4' },
  5: { state: '6' },
}

/** Plays a device's backend until the test is over: answers what it sees with writes below its directory. */
export function playBackend(t: Test, store: Xenstore, { paths }: DiskDevice, moves: Moves = goodMoves): void {
  const watch = store.watch(paths.backend)
  t.teardown(() => watch[Symbol.dispose]())
  let served = false
  const play = async () => {
    for await (const _ of watch) {
      const state = await store.readIfPresent(`${paths.backend}/state`)
      const ready = !served && (await store.readIfPresent(`${paths.backend}/physical-device`)) !== undefined
      served ||= ready
      const move = ready ? moves['physical-device'] : moves[state as '1']
      for (const [key, value] of Object.entries(move ?? {})) {
        if (key.startsWith('/')) await store.write(key, value)
        else if (key !== 'state' || state !== value) await store.write(`${paths.backend}/${key}`, value)
      }
    }
  }
  play().catch(() => {})
}
