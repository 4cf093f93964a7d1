import { type Access, formatPermissions, type Permission, parsePermissions } from '#xenlight/xenstore/permissions.js'
import { type Cases, codeOf } from './case.js'
import { unknownDomid } from './subject.js'

export const permissions: Cases = {
  'a new node of domain 0 has those of the node above': async (t, peers) => {
    const { store, path } = peers
    const { domid } = await peers.guest()
    await store.mkdir(path)
    t.strictSame(await store.getPermissions(path), [{ domid: 0, access: 'none' }])
    await store.setPermissions(path, [
      { domid: 0, access: 'read' },
      { domid, access: 'both' },
    ])
    await store.write(`${path}/a/b`, 'x')
    t.equal(formatPermissions(await store.getPermissions(`${path}/a/b`)), `r0,b${domid}`)
  },

  'every access, as it was set': async (t, peers) => {
    const { store, path } = peers
    await store.mkdir(path)
    const domids: number[] = []
    for (let n = 0; n < 4; n++) domids.push((await peers.guest()).domid)
    for (const owner of ['none', 'read', 'write', 'both'] as const satisfies Access[]) {
      const wanted: Permission[] = [
        { domid: domids[0]!, access: owner },
        { domid: domids[1]!, access: 'read' },
        { domid: domids[2]!, access: 'write' },
        { domid: domids[3]!, access: 'both' },
        { domid: 0, access: 'none' },
      ]
      await store.setPermissions(path, wanted)
      t.strictSame(await store.getPermissions(path), wanted)
    }
  },

  'those of a missing node': async (t, { store, path }) => {
    t.equal(await codeOf(store.getPermissions(path)), 'ENOENT')
    t.equal(await codeOf(store.setPermissions(path, [{ domid: 0, access: 'none' }])), 'ENOENT')
  },

  'a child keeps its own where its parent gets others': async (t, { store, path }) => {
    await store.mkdir(`${path}/a`)
    await store.setPermissions(path, [{ domid: 0, access: 'read' }])
    t.equal(formatPermissions(await store.getPermissions(`${path}/a`)), 'n0')
  },

  'an owner that the hypervisor knows need not be introduced': async (t, peers) => {
    const { store, path } = peers
    const domid = peers.newDomid()
    await store.mkdir(path)
    t.equal(await codeOf(store.setPermissions(path, [{ domid, access: 'none' }])), undefined)
  },

  'an owner that nobody knows': async (t, peers) => {
    const { store, path } = peers
    await store.mkdir(path)
    const expected = peers.differs<unknown>(
      'ENOENT',
      { embedded: undefined, oxenstored: undefined },
      'it takes any domid',
    )
    t.equal(await codeOf(store.setPermissions(path, [{ domid: unknownDomid, access: 'none' }])), expected)
  },

  'an entry for a domain that nobody knows is kept': async (t, { store, path }) => {
    await store.mkdir(path)
    await store.setPermissions(path, parsePermissions(`n0,r${unknownDomid}`))
    t.equal(formatPermissions(await store.getPermissions(path)), `n0,r${unknownDomid}`)
  },

  'what cannot be a permission is refused before anything is sent': async (t, { store, path }) => {
    await store.mkdir(path)
    const { requests } = store.statistics
    const refused = [[], [{ domid: -1, access: 'none' }], [{ domid: 0x10000, access: 'none' }], [{ domid: 0 }]]
    for (const entries of refused) t.equal(await codeOf(store.setPermissions(path, entries as Permission[])), 'EINVAL')
    t.equal(store.statistics.requests, requests)
  },

  'what is no permission on the wire': async (t, peers) => {
    const raw = await peers.raw()
    await peers.store.mkdir(peers.path)
    for (const entry of ['x0', 'n', 'nn', '0', '']) {
      t.equal(await raw.ask('SET_PERMS', `${peers.path}\0${entry}\0`), 'EINVAL', entry)
    }
    t.equal(await raw.ask('SET_PERMS', `${peers.path}\0`), 'EINVAL')
    t.equal(formatPermissions(await peers.store.getPermissions(peers.path)), 'n0')
  },

  'a guest reads and writes what it may': async (t, peers) => {
    const { store, path } = peers
    const { domid, store: guest } = await peers.guest()
    const may: Record<string, readonly [permissions: string, read: unknown, write: unknown]> = {
      hidden: ['n0', 'EACCES', 'EACCES'],
      all: ['b0', 'x', undefined],
      allRead: ['r0', 'x', 'EACCES'],
      allWrite: ['w0', 'EACCES', undefined],
      own: [`n${domid}`, 'x', undefined],
      read: [`n0,r${domid}`, 'x', 'EACCES'],
      write: [`n0,w${domid}`, 'EACCES', undefined],
      both: [`n0,b${domid}`, 'x', undefined],
      none: [`b0,n${domid}`, 'EACCES', 'EACCES'],
      other: [`n0,r0`, 'EACCES', 'EACCES'],
    }
    for (const [name, [entries, read, write]] of Object.entries(may)) {
      const node = `${path}/${name}`
      await store.write(node, 'x')
      await store.setPermissions(node, parsePermissions(entries))
      t.equal(await codeOf(guest.read(node)), read, `${entries}: read`)
      t.equal(await codeOf(guest.getPermissions(node).then(formatPermissions)), read === 'x' ? entries : read)
      t.equal(await codeOf(guest.write(node, 'x')), write, `${entries}: write`)
    }
  },

  'a guest does not learn whether there is a node where it may not look': async (t, peers) => {
    const { store, path } = peers
    const { domid, store: guest } = await peers.guest()
    await store.mkdir(`${path}/closed/there`)
    await store.mkdir(`${path}/open`)
    await store.setPermissions(`${path}/open`, parsePermissions(`n0,r${domid}`))
    t.equal(await codeOf(guest.read(`${path}/closed/there`)), 'EACCES')
    const none = peers.differs('EACCES', { oxenstored: 'ENOENT' }, 'it says whether there is one')
    t.equal(await codeOf(guest.read(`${path}/closed/none`)), none)
    t.equal(await codeOf(guest.read(`${path}/closed/none/below`)), none)
    t.equal(await codeOf(guest.read(`${path}/open/none`)), 'ENOENT')
    t.equal(await codeOf(guest.read(`${path}/open/none/below`)), 'ENOENT')
  },

  'a guest owns what it makes, with the rest as above': async (t, peers) => {
    const { store, path } = peers
    const { domid, store: guest } = await peers.guest()
    await store.mkdir(path)
    await store.setPermissions(path, parsePermissions(`r0,b${domid}`))
    await guest.write(`${path}/a/b`, 'x')
    t.equal(
      formatPermissions(await store.getPermissions(`${path}/a/b`)),
      peers.differs(
        `r${domid},b${domid}`,
        { oxenstored: `r0,b${domid}` },
        'what is below a node of domain 0 is its own',
      ),
    )
    t.equal(await codeOf(guest.rm(`${path}/a`)), undefined)
  },

  'a guest gives its own nodes to others, but not away': async (t, peers) => {
    const { store, path } = peers
    const { domid, store: guest } = await peers.guest()
    const { domid: friend, store: friends } = await peers.guest()
    await store.write(path, 'x')
    await store.setPermissions(path, parsePermissions(`n${domid}`))
    t.equal(await codeOf(friends.read(path)), 'EACCES')
    await guest.setPermissions(path, parsePermissions(`n${domid},r${friend}`))
    t.equal(await friends.read(path), 'x')
    const refused = peers.differs('EPERM', { oxenstored: 'EACCES' }, 'that is what it says')
    t.equal(await codeOf(guest.setPermissions(path, parsePermissions(`n${friend}`))), refused)
    t.equal(await codeOf(friends.setPermissions(path, parsePermissions(`n${friend}`))), 'EACCES')
  },

  'a device model has the rights of its guest': async (t, peers) => {
    const { store, path } = peers
    const { domid } = await peers.guest()
    const { domid: model, store: models } = await peers.guest()
    await store.write(path, 'x')
    await store.setPermissions(path, parsePermissions(`n${domid}`))
    t.equal(await codeOf(models.read(path)), 'EACCES')
    await store.setTarget(model, domid)
    t.equal(await models.read(path), 'x')
    await models.write(path, 'y')
    t.equal(await store.read(path), 'y')
  },

  'permissions in a transaction': async (t, peers) => {
    const { store, path } = peers
    const another = await peers.another()
    await store.mkdir(path)
    await store.transaction(async transaction => {
      await transaction.setPermissions(path, [{ domid: 0, access: 'read' }])
      t.equal(formatPermissions(await transaction.getPermissions(path)), 'r0')
      t.equal(formatPermissions(await another.getPermissions(path)), 'n0')
    })
    t.equal(formatPermissions(await another.getPermissions(path)), 'r0')
  },
}
