import { operations } from '#xenlight/xenstore/operation.js'
import { headerSize } from '#xenlight/xenstore/packet.js'
import type { Cases } from './case.js'

export const wire: Cases = {
  'a request that the protocol has not': async (t, peers) => {
    const raw = await peers.raw()
    for (const type of [20, 27, 99, 0xffff_ffff]) {
      const expected = peers.differs('ENOSYS', { oxenstored: 'closed' }, 'it drops whoever says what it does not know')
      t.equal(await raw.ask(type, '/\0'), expected, String(type))
      if (expected === 'closed') return
    }
    t.equal(await raw.ask('GET_DOMAIN_PATH', '0\0'), '/local/domain/0', 'and the next is answered')
  },

  'empty payloads are refused, whatever asks': async (t, peers) => {
    const raw = await peers.raw()
    const withoutPayload = new Set(['CONTROL', 'TRANSACTION_START', 'RESET_WATCHES', 'GET_FEATURE', 'GET_QUOTA'])
    const later = new Set(['SET_FEATURE', 'SET_QUOTA'])
    for (const [name, type] of Object.entries(operations)) {
      if (withoutPayload.has(name)) continue
      const expected = later.has(name)
        ? peers.differs('ENOSYS', { embedded: 'EINVAL' }, 'Xen 4.17 has no such request')
        : name === 'TRANSACTION_END'
          ? 'ENOENT|EINVAL'
          : 'EINVAL'
      const answer = await raw.ask(type, '')
      t.ok(expected.split('|').includes(answer), `${name}: ${answer}, expected ${expected}`)
    }
  },

  'an answer has the number of its request and of its transaction': async (t, peers) => {
    const raw = await peers.raw()
    const id = await raw.begin()
    t.equal(await raw.ask('WRITE', `${peers.path}\0x`, id), 'OK')
    t.equal(await raw.ask('READ', `${peers.path}\0`, id), 'x')
    t.equal(await raw.ask('TRANSACTION_END', 'F\0', id), 'OK')
    t.strictSame(raw.answered, [1, 2, 3, 4])
  },

  'a path without its NUL': async (t, peers) => {
    const raw = await peers.raw()
    for (const operation of ['READ', 'DIRECTORY', 'MKDIR', 'RM', 'GET_PERMS'] as const) {
      t.equal(await raw.ask(operation, '/tool'), 'EINVAL', operation)
    }
  },

  'paths that the client refuses are refused by the daemon too': async (t, peers) => {
    const raw = await peers.raw()
    for (const path of ['/a//b', '/a/', '/ä', '/a b', '/a.b', '']) {
      t.equal(await raw.ask('READ', `${path}\0`), 'EINVAL', path)
    }
  },

  'a packet in single bytes': async (t, peers) => {
    const duplex = await peers.duplex()
    await peers.store.write(peers.path, 'value')
    const answer = new Promise<Buffer>((resolve, reject) => {
      let all = Buffer.alloc(0)
      duplex.start({
        data: bytes => {
          all = Buffer.concat([all, bytes])
          if (all.length >= headerSize + 5) resolve(all)
        },
        end: () => reject(new Error('closed')),
      })
    })
    const payload = Buffer.from(`${peers.path}\0`)
    const header = Buffer.from(Uint32Array.of(operations.READ, 7, 0, payload.length).buffer)
    for (const byte of Buffer.concat([header, payload])) {
      duplex.write(Uint8Array.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
    t.equal((await answer).toString('latin1', headerSize), 'value')
    duplex.close()
  },
}
