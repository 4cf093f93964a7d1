import t, { type Test } from 'tap'
import type { BlockBackend } from 'xenlight/nbd'
import type { OpenFile } from '#xenlight/replication/folder.js'
import type { Hub } from '#xenlight/replication/hub/hub.js'
import { Overlay } from '#xenlight/replication/hub/overlay.js'
import { OverlayQuota } from '#xenlight/replication/hub/overlay-quota.js'
import { createRandom, type Random } from '../../support/random.js'
import { MemoryDisk } from '../memory-folder.js'
import { PlayedDisk } from './played-disk.js'
import { copyOf, difference, groupOf, type Images, imagesOf, PlayedGuest, someWrite, volumes } from './played-group.js'
import { playHub } from './played-hub.js'

const MiB = 1024 * 1024
/** A file that nobody looks at. */
const emptyFile = {
  readInto: () => 0,
  write: () => {},
  truncate: () => {},
  sync: async () => {},
  close: () => {},
}

/** A branch that is written to, and what it must have. */
class Used {
  readonly name: string
  readonly images: Images
  /** As they were when the last flush began. */
  flushed: Images
  /** What each sector may have after a crash, besides what it had at the last flush. */
  versions = new Map<string, Uint8Array[]>()

  constructor(name: string, images: Images) {
    this.name = name
    this.images = images
    this.flushed = copyOf(images)
  }

  disk(hub: Hub, number: number): BlockBackend {
    const { name } = volumes.find(volume => volume.number === number)!
    return hub.findExport(`web/${this.name}/${name}`)!.backend
  }

  async write(hub: Hub, random: Random): Promise<void> {
    const { volume, offset, data } = someWrite(random)
    const disk = this.disk(hub, volume)
    if (random.chance(0.3)) {
      data.fill(0)
      await disk.writeZeroes(offset, data.length, { mayTrim: random.chance(0.5) })
    } else await disk.write(offset, data)
    this.images.get(volume)!.set(data, offset)
    for (let at = offset; at < offset + data.length; at += 512) {
      const key = `${volume}:${at}`
      this.versions.set(key, [...(this.versions.get(key) ?? []), data.slice(at - offset, at - offset + 512)])
    }
  }

  async flush(hub: Hub): Promise<void> {
    for (const { number } of volumes) await this.disk(hub, number).flush()
    this.flushed = copyOf(this.images)
    this.versions = new Map()
  }

  async readSomewhere(hub: Hub, random: Random): Promise<string | undefined> {
    const { number, size } = random.pick(volumes)
    const offset = random.int(size)
    const length = 1 + random.int(Math.min(size - offset, random.pick([1, 5000, 100_000])))
    const bytes = await this.disk(hub, number).read(offset, length)
    const wanted = this.images.get(number)!.subarray(offset, offset + length)
    return Buffer.compare(bytes, wanted) === 0 ? undefined : `${this.name}: volume ${number}, ${offset}+${length}`
  }

  /** What of it a crash cannot have left so. */
  wrongAfterCrash(found: Images): string | undefined {
    for (const { number, size } of volumes)
      for (let at = 0; at < size; at += 512) {
        const is = found.get(number)!.subarray(at, at + 512)
        const may = [this.flushed.get(number)!.subarray(at, at + 512), ...(this.versions.get(`${number}:${at}`) ?? [])]
        if (!may.some(one => Buffer.compare(one, is) === 0))
          return `${this.name}: volume ${number} at ${at} has ${is[0]}`
      }
    return undefined
  }
}

async function onePlay(t: Test, seed: number): Promise<void> {
  const random = createRandom(seed)
  let disk = new PlayedDisk()
  let hub = await playHub(disk, { limits: { branches: 10 } })
  const guest = new PlayedGuest(hub, random)
  await guest.begin(hub)
  await guest.live(hub, 20)
  const used: Used[] = []
  let isLive = true
  for (let step = 0; step < 120; step++) {
    const one = used.length > 0 ? random.pick(used) : undefined
    const what = random.int(100)
    if (what < 10 && used.length < 4) {
      const [position, images] = random.pick([...guest.moments])
      const name = `test-${step}`
      await groupOf(hub).life.test({ name, at: { position }, by: 'me' })
      used.push(new Used(name, copyOf(images)))
    } else if (what < 60) await one?.write(hub, random)
    else if (what < 75) {
      const wrong = await one?.readSomewhere(hub, random)
      if (wrong !== undefined) t.fail(`seed ${seed}: ${wrong}`)
    } else if (what < 83) await one?.flush(hub)
    else if (what < 86 && one !== undefined) {
      await groupOf(hub).life.discard(one.name, 'me')
      used.splice(used.indexOf(one), 1)
    } else if (what < 94 && isLive) await guest.live(hub, 2)
    else if (what >= 97) {
      disk = random.chance(0.6) ? disk.afterPowerCut(random) : disk.afterKill()
      hub = await playHub(disk, { limits: { branches: 10 } })
      for (const one of used) {
        const found = await imagesOf(groupOf(hub).branches.get(one.name))
        // a kill leaves all that was written, but what the map says of it comes with a flush
        const wrong = one.wrongAfterCrash(found)
        if (wrong !== undefined) t.fail(`seed ${seed}, step ${step}: ${wrong}`)
        one.images.clear()
        for (const [number, bytes] of found) one.images.set(number, bytes)
        await one.flush(hub)
      }
      // its agent has gone with the hub
      isLive = false
    }
  }
  for (const one of used) {
    const wrong = difference(await imagesOf(groupOf(hub).branches.get(one.name)), one.images)
    if (wrong !== undefined) t.fail(`seed ${seed}: ${one.name}: ${wrong}`)
  }
  await hub.close()
}

t.test('branches at any point, all at once, with crashes', async t => {
  const { SEED, COUNT = 30 } = process.env
  const first = Number(SEED ?? Math.floor(Math.random() * 1e6))
  const count = Number(COUNT)
  t.comment(`seeds ${first} to ${first + count - 1}`)
  for (let seed = first; seed < first + count; seed++) await onePlay(t, seed)
  t.pass(`${count} plays`)
})

t.test('what a branch rests on stays while its files cannot be opened', async t => {
  const limits = { journalBytes: 300 * 1024 }
  const random = createRandom(5)
  const disk = new PlayedDisk()
  const hub = await playHub(disk)
  const guest = new PlayedGuest(hub, random)
  await guest.begin(hub)
  await guest.live(hub, 5)
  await groupOf(hub).life.test({ name: 'try', at: { newest: true }, by: 'me' })
  const used = new Used('try', copyOf(guest.images))
  for (let count = 0; count < 5; count++) await used.write(hub, random)
  await used.flush(hub)
  await hub.close()
  // as where another file system is not mounted
  const own = disk.folder.folder('groups').folder('web').folder('1').folder('branches').folder('1')
  own.rename('0.map', 'away')
  const second = await playHub(disk, { limits })
  t.match(groupOf(second).status().branches, [{ name: 'try', lost: /0\.map/ }])
  const again = new PlayedGuest(second, random, 'host-1', guest.images)
  await again.begin(second)
  await again.live(second, 60)
  await second.look()
  await second.close()
  own.rename('away', '0.map')
  const third = await playHub(disk, { limits })
  t.match(groupOf(third).status().branches, [{ name: 'try', lost: undefined }])
  t.equal(difference(await imagesOf(groupOf(third).branches.get('try')), used.images), undefined)
  await groupOf(third).life.discard('try', 'me')
  const before = groupOf(third).journal.history()[0]!.from.position
  await third.look()
  t.ok(groupOf(third).journal.history()[0]!.from.position > before, 'and it goes when the branch has gone')
})

t.test('a flush beside a sync of the hub is one all the same', async t => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom(seed)
    const disk = new PlayedDisk()
    const hub = await playHub(disk)
    const guest = new PlayedGuest(hub, random)
    await guest.begin(hub)
    await groupOf(hub).life.test({ name: 'try', at: { newest: true }, by: 'me' })
    const { backend } = hub.findExport('web/try/root')!
    await backend.write(8192, new Uint8Array(4096).fill(77))
    const synced = groupOf(hub)
      .branches.get('try')
      .sync()
      .catch(() => {})
    await backend.flush()
    const again = await playHub(disk.afterPowerCut(random))
    await synced
    const found = await imagesOf(groupOf(again).branches.get('try'))
    t.equal(found.get(0)![8192], 77, `seed ${seed}`)
  }
})

/** A volume of 600 MiB over nothing, whose content is of no interest: a page of its map is for 127 MiB. */
const largeVolume = (map: OpenFile) =>
  new Overlay({
    view: {
      ...{ position: 1, volumes: [], close: () => {} },
      read: (_volume: number, _offset: number, length: number) => new Uint8Array(length),
      blockStatus: () => [],
    },
    ...{ volume: 0, size: 600 * MiB, data: { ...emptyFile, size: 600 * MiB }, map },
    ...{ quota: new OverlayQuota(MiB), isNew: true, checkOwner() {} },
  })

t.test('what was written far apart is all there when it is opened again', async t => {
  const disk = new MemoryDisk()
  const overlay = largeVolume(disk.folder.open('map', 'create'))
  for (let round = 1; round < 4; round++) {
    for (const offset of [500, 10, 300, 150]) overlay.write(offset * MiB + round * 8192, new Uint8Array(4096))
    await overlay.flush()
    const again = largeVolume(disk.folder.open('map', 'write'))
    t.same([...again.runs()], [...overlay.runs()], `round ${round}`)
    t.equal(again.written, round * 4 * 4096)
  }
})

t.test('a flush for which there is not enough room takes nothing of what was flushed before', async t => {
  for (let seed = 0; seed < 100; seed++) {
    const random = createRandom(seed)
    const disk = new MemoryDisk()
    const overlay = largeVolume(disk.folder.open('map', 'create'))
    await disk.folder.sync()
    overlay.write(0, new Uint8Array(4096))
    await overlay.flush()
    // in another sector of the same page, and in another page
    overlay.write(80 * MiB, new Uint8Array(4096))
    overlay.write(150 * MiB, new Uint8Array(4096))
    disk.room = disk.used + 4096
    await t.rejects(overlay.flush(), { code: 'ENOSPC' })
    disk.room = Number.POSITIVE_INFINITY
    let left: MemoryDisk | undefined
    disk.before = operation => {
      if (operation === 'sync') left ??= disk.crashed(random)
    }
    await overlay.flush()
    const [first] = largeVolume(left!.folder.open('map', 'write')).runs()
    t.equal(first?.offset, 0, `seed ${seed}: what was flushed at first is there`)
  }
})

t.test('a hub that is started on a full disk has all branches, also where it was to drop another one', async t => {
  const disk = new PlayedDisk()
  const hub = await playHub(disk)
  const guest = new PlayedGuest(hub, createRandom(6))
  await guest.begin(hub)
  const { life, branches } = groupOf(hub)
  await life.test({ name: 'going', at: { newest: true }, by: 'me' })
  for (let failAt = 1; branches.record('going')?.state === 'ready'; failAt++) {
    disk.failAt = disk.operations + failAt
    await life.discard('going', 'me').catch(() => {})
  }
  await life.test({ name: 'staying', at: { newest: true }, by: 'me' })
  t.match(branches.records, [
    { name: 'going', state: 'dropping' },
    { name: 'staying', state: 'ready' },
  ])
  for (let failAt = 1; failAt < 40; failAt++) {
    const left = disk.afterKill()
    left.failures = Number.POSITIVE_INFINITY
    left.failAt = left.operations + failAt
    const again = await playHub(left).catch(() => undefined)
    // where its journal cannot be opened nothing is folded
    if (again === undefined || again.groups.length === 0) continue
    t.ok(again.findExport('web/staying/root'), `full at ${failAt}`)
  }
})
