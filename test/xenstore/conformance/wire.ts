import { operations } from '#xenlight/xenstore/operation.js'
import { headerSize } from '#xenlight/xenstore/packet.js'
import type { Cases } from './case.js'

const stale = 'that of Xen 4.17 answers with the error of something before, or ends where there was none'

export const wire: Cases = {
  'a request that the protocol has not': async (t, peers) => {
    const raw = await peers.raw()
    for (const type of [20, 27, 99, 0xffff_ffff]) t.equal(await raw.ask(type, '/\0'), 'ENOSYS', String(type))
    t.equal(await raw.ask('GET_DOMAIN_PATH', '0\0'), '/local/domain/0', 'and the next is answered')
  },

  'empty payloads are refused': async (t, peers) => {
    const raw = await peers.raw()
    const all = [
      'WATCH',
      'UNWATCH',
      'TRANSACTION_END',
      'INTRODUCE',
      'RELEASE',
      'GET_DOMAIN_PATH',
      'WRITE',
      'SET_PERMS',
    ] as const
    const paths = ['DIRECTORY', 'READ', 'GET_PERMS', 'MKDIR', 'RM'] as const
    const answers = peers.differs(true, { xenstored: false }, stale)
    for (const operation of answers ? [...all, ...paths] : all) {
      const refused = raw.ask(operation, '')
      // oxenstored sees a packet without a payload when more bytes come
      await raw.ask('GET_DOMAIN_PATH', '0\0')
      t.equal(await refused, 'EINVAL', operation)
    }
  },

  'an answer has the number of its request and of its transaction': async (t, peers) => {
    const raw = await peers.raw()
    const id = await raw.begin()
    t.equal(await raw.ask('WRITE', `${peers.path}\0x`, id), 'OK')
    t.equal(await raw.ask('READ', `${peers.path}\0`, id), 'x')
    t.equal(await raw.ask('TRANSACTION_END', 'F\0', id), 'OK')
    t.strictSame(raw.order, [1, 2, 3, 4])
  },

  'a path without its NUL': async (t, peers) => {
    if (!peers.differs(true, { xenstored: false }, stale)) return
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
