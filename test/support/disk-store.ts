import type { Test } from 'tap'
import type { DiskHost, DomainType } from 'xenlight'
import { type Duplex, formatPermissions, openXenstore, type Xenstore } from 'xenlight/xenstore'
import { embeddedStore } from '#xenlight/xenstore/memory/index.js'
import { operations } from '#xenlight/xenstore/operation.js'
import { allocatePacket, headerSize, wordAt } from '#xenlight/xenstore/packet.js'

/** A host where a path is what a function says, which makes nothing and runs nothing. */
export const hostWhere = (
  targetOf: (path: string) => Awaited<ReturnType<DiskHost['examine']>>['target'],
): DiskHost & {
  emptied: string[]
} => {
  const emptied: string[] = []
  return {
    domid: 0,
    emptied,
    examine: async path => ({ target: targetOf(path) }),
    createEmptyCdrom: async path => void emptied.push(path),
    runScript: async () => ({ status: 0, stderr: '' }),
  }
}

/** A running guest as a toolstack leaves it. */
export interface GuestInStore {
  domid: number
  type: DomainType
  deviceModel?: boolean
}

/** Domain 0, a driver domain called storage, and some guests. */
export async function populate(store: Xenstore, guests: readonly GuestInStore[]): Promise<void> {
  await store.write('/local/domain/0/name', 'Domain-0')
  for (const domid of [7, ...guests.map(guest => guest.domid)]) {
    await store.mkdir(`/local/domain/${domid}`)
    await store.setPermissions(`/local/domain/${domid}`, [
      { domid: 0, access: 'none' },
      { domid, access: 'read' },
    ])
    await store.write(`/local/domain/${domid}/name`, domid === 7 ? 'storage' : `guest-${domid}`)
  }
  for (const { domid, type, deviceModel = true } of guests) {
    await store.write(`/libxl/${domid}/type`, type)
    if (deviceModel) await store.write(`/local/domain/${domid}/image/device-model-pid`, '4711')
  }
}

/** An embedded store with some guests, and a connection of domain 0's to it. */
export async function storeWith(
  t: Test,
  guests: readonly GuestInStore[] = [{ domid: 11, type: 'pv' }],
  tap: (duplex: Duplex) => Duplex = duplex => duplex,
): Promise<Xenstore> {
  const embedded = embeddedStore({ domains: [7, ...guests.map(guest => guest.domid)] })
  const setup = openXenstore(embedded.duplex())
  await populate(setup, guests)
  await setup.close()
  const store = openXenstore(tap(embedded.duplex()))
  t.teardown(() => embedded.close())
  return store
}

export type Tree = Record<string, { value: string; perms: string }>

/** All nodes at and below some paths. */
export async function treeAt(store: Xenstore, paths: readonly string[]): Promise<Tree> {
  const tree: Tree = {}
  const visit = async (path: string): Promise<void> => {
    const value = await store.readIfPresent(path)
    if (value === undefined) return
    tree[path] = { value, perms: formatPermissions(await store.getPermissions(path)) }
    const names = await store.directory(path)
    await Promise.all(names.map(name => visit(path === '/' ? `/${name}` : `${path}/${name}`)))
  }
  await Promise.all(paths.map(visit))
  return tree
}

/** A request: the operation's name, and its payload with spaces for NULs and the last one left out. */
export type SeenRequest = [operation: string, payload: string]

const names = new Map<number, string>(Object.entries(operations).map(([name, number]) => [number, name]))

/** Writes down what is sent. */
export function listened(duplex: Duplex, seen: SeenRequest[]): Duplex {
  return {
    start: reader => duplex.start(reader),
    close: () => duplex.close(),
    write(packet) {
      const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
      const payload = bytes.subarray(headerSize).toString('utf8')
      seen.push([names.get(wordAt(bytes, 0)) ?? '?', payload.replace(/\0$/, '').replaceAll('\0', ' ')])
      duplex.write(packet)
    },
  }
}

/** Answers a request that `refuses` picks with an error, instead of the store. */
export function refusing(duplex: Duplex, refuses: (request: SeenRequest) => string | undefined): Duplex {
  let answer = (_: Uint8Array): void => {}
  return {
    start(reader) {
      answer = bytes => reader.data(bytes)
      duplex.start(reader)
    },
    close: () => duplex.close(),
    write(packet) {
      const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
      const payload = bytes.subarray(headerSize).toString('utf8').replace(/\0$/, '').replaceAll('\0', ' ')
      const code = refuses([names.get(wordAt(bytes, 0)) ?? '?', payload])
      if (code === undefined) return duplex.write(packet)
      const reply = allocatePacket(16, wordAt(bytes, 4), wordAt(bytes, 8), code.length + 1)
      reply.write(`${code}\0`, headerSize, 'latin1')
      // behind what is under way, as a daemon's answer
      setImmediate(() => answer(reply))
    },
  }
}
