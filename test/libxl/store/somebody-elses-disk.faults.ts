import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { AttachError, addDisk, addDisks, LibxlError, parseDisk, removeDisk } from 'xenlight'
import type { Xenstore } from 'xenlight/xenstore'
import { hostWhere, type Tree, treeAt } from '../../support/disk-store.js'
import { onEachSocket } from '../../support/each-socket.js'
import { projectRoot } from '../../support/project-root.js'
import { createRandom } from '../../support/random.js'
import { slowWire } from '../../support/slow-wire.js'

/** What several toolstacks do to one guest at once: nobody removes a disk that another one attached. */
const rounds = 50
const { SEED } = process.env
const seed = Number(SEED ?? Math.floor(Math.random() * 2 ** 31))
const host = hostWhere(() => 'block')
const domid = 11
const link = '/libxl/11/device/vbd/51728/backend'
const mine = parseDisk('/dev/vg/a,raw,xvdb,w')
const theirs = [mine, parseDisk('/dev/vg/b,raw,xvdb,w'), parseDisk('/c.qcow2,qcow2,xvdb,w,backendtype=qdisk')]
const quick = { backend: 5, hotplug: 1000 }
const disks = (store: Xenstore): Promise<Tree> =>
  treeAt(store, ['/libxl/11/device', '/local/domain/11/device', '/local/domain/0/backend'])

/** What the other toolstack does: removes the device, and attaches a disk of its own. @returns the tree with it */
async function takeOver(store: Xenstore, disk: (typeof theirs)[number]): Promise<Tree> {
  await removeDisk(store, domid, 'xvdb', { force: true, host, timeouts: { backend: 0 } })
  await addDisk(store, disk, { domid, host, wait: false })
  return disks(store)
}

/** The same by a toolstack that does not ask the backend to close. */
async function snatch(store: Xenstore, disk: (typeof theirs)[number]): Promise<Tree> {
  await store
    .transaction(async nodes => {
      for (const path of [
        '/libxl/11/device/vbd/51728',
        '/local/domain/11/device/vbd/51728',
        '/local/domain/0/backend/vbd/11/51728',
      ]) {
        await nodes.rm(path)
      }
    })
    .catch(() => {})
  await addDisk(store, disk, { domid, host, wait: false })
  return disks(store)
}

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (error instanceof LibxlError) return error.reason
    throw error
  }
}

async function nothingLeft(store: Xenstore): Promise<void> {
  for (const path of ['/libxl/11/device', '/local/domain/11/device', '/local/domain/0/backend']) {
    await store.rm(path).catch(() => {})
  }
}

onEachSocket(
  t,
  'a disk attached while another toolstack waits for its own in the same place',
  async (t, { connect }) => {
    const [one, two] = [await connect(), await connect()]
    const random = createRandom(seed)
    const seen: Record<string, number> = {}
    let lost = 0
    for (let round = 0; round < rounds; round++) {
      const adding = addDisk(one, mine, { domid, host, timeouts: { backend: random.int(12) } })
      const ending = outcomeOf(adding)
      await two.waitUntilExists(link)
      if (random.int(2) === 0) await delay(random.int(12))
      const take = round % 2 === 0 ? takeOver : snatch
      const tree = await take(two, theirs[round % theirs.length]!).catch((error: unknown) => {
        // the first one has rolled its disk back before
        if (error instanceof LibxlError) return undefined
        throw error
      })
      const outcome = await ending
      seen[outcome] = (seen[outcome] ?? 0) + 1
      if (tree !== undefined && !same(await disks(two), tree)) lost++
      await nothingLeft(two)
    }
    t.equal(lost, 0, `seed ${seed}`)
    t.ok((seen['device-changed'] ?? 0) > rounds / 8, JSON.stringify(seen))
  },
)

onEachSocket(t, 'a disk attached where two toolstacks detach the one before', async (t, { connect }) => {
  const [one, two] = [await connect(), await connect()]
  const random = createRandom(seed)
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    await addDisk(one, mine, { domid, host, wait: false })
    const options = { force: ([true, 'auto'] as const)[round % 2]!, host, timeouts: { backend: random.int(6) } }
    const removing = outcomeOf(removeDisk(one, domid, 'xvdb', options))
    const others = outcomeOf(removeDisk(two, domid, 'xvdb', options))
    await others
    const tree = await addDisk(two, theirs[round % theirs.length]!, { domid, host, wait: false }).then(
      () => disks(two),
      () => undefined,
    )
    const outcome = await removing
    t.ok(['done', 'device-changed', 'device-missing'].includes(outcome), outcome)
    if (tree !== undefined && !same(await disks(two), tree)) lost++
    await nothingLeft(two)
  }
  t.equal(lost, 0, `seed ${seed}`)
})

for (const held of ['answers', 'requests'] as const) {
  onEachSocket(t, `a disk attached while a commit's ${held} are late`, async (t, { path, connect }) => {
    const wire = await slowWire(t, path)
    const two = await connect()
    const random = createRandom(seed)
    let lost = 0
    for (let round = 0; round < rounds / 2; round++) {
      const one = await connect({ path: wire.path, timeout: 40 })
      wire.holdAtCommit(held)
      const adding = addDisks(one, [mine], { domid, host, wait: false }).catch((error: unknown) => error)
      await wire.held
      let tree: Tree
      if (held === 'answers') {
        await two.waitUntilExists(link)
        tree = await takeOver(two, theirs[round % theirs.length]!)
      } else {
        await addDisk(two, theirs[round % theirs.length]!, { domid, host, wait: false })
        tree = await disks(two)
      }
      await delay(45 + random.int(20))
      wire.release()
      const error = await adding
      // on a busy machine the answer may still count as in time
      if (error instanceof AttachError) t.match(error.failures, [{ index: 0, vdev: 'xvdb' }])
      else if (error instanceof Error) throw error
      if (!same(await disks(two), tree)) lost++
      await one.close()
      await nothingLeft(two)
    }
    t.equal(lost, 0, `seed ${seed}`)
  })
}

onEachSocket(t, 'a late answer does not keep our own disk from being rolled back', async (t, { path, connect }) => {
  const wire = await slowWire(t, path)
  const [one, two] = [await connect({ path: wire.path, timeout: 100 }), await connect()]
  const before = await disks(two)
  wire.holdAtCommit('answers')
  const adding = addDisks(one, [mine], { domid, host, wait: false }).catch((error: unknown) => error)
  await two.waitUntilExists(link)
  await delay(150)
  wire.release()
  const error = await adding
  t.match(error, { name: 'AttachError', rollback: { outcome: 'complete', left: [] } })
  t.strictSame(await disks(two), before)
})

onEachSocket(t, 'a disk attached while a process that waits is stopped', async (t, { path, connect }) => {
  const two = await connect()
  const random = createRandom(seed)
  let lost = 0
  const seen: Record<string, number> = {}
  const { PATH } = process.env
  const worker = join(projectRoot, 'build/test/libxl/store/attach-worker.js')
  // through env, as tap would put its loaders into a process of Node's
  const child = spawn('env', ['-i', `PATH=${PATH}`, process.execPath, worker, path, '60'])
  t.teardown(() => child.kill('SIGKILL'))
  for (let round = 0; round < rounds; round++) {
    const said = once(child.stdout, 'data')
    child.stdin.write('/dev/vg/a,raw,xvdb,w\n')
    await two.waitUntilExists(link)
    child.kill('SIGSTOP')
    const tree = await takeOver(two, theirs[round % 2]!)
    if (round % 3 === 0) {
      await two.write('/local/domain/0/backend/vbd/11/51728/state', '4')
      tree['/local/domain/0/backend/vbd/11/51728/state']!.value = '4'
    }
    await delay(60 + random.int(10))
    child.kill('SIGCONT')
    const outcome = String((await said)[0]).trim()
    seen[outcome] = (seen[outcome] ?? 0) + 1
    if (!same(await disks(two), tree)) lost++
    await nothingLeft(two)
  }
  t.equal(lost, 0, `seed ${seed}`)
  t.strictSame(
    // on a busy machine its time may be over before it is stopped
    Object.keys(seen).filter(outcome => outcome !== 'backend-timeout'),
    ['device-changed'],
    'it claims neither that its disk is there nor that it removed one',
  )
})

onEachSocket(t, "two toolstacks detach a guest's last disk at once", async (t, { connect }) => {
  const [one, two] = [await connect(), await connect()]
  for (let round = 0; round < rounds; round++) {
    await addDisk(one, mine, { domid, host, wait: false })
    const options = { force: true, host, timeouts: quick }
    const outcomes = await Promise.all([one, two].map(store => outcomeOf(removeDisk(store, domid, 'xvdb', options))))
    t.ok(outcomes.includes('done'), outcomes.join())
    t.ok(
      outcomes.every(outcome => outcome === 'done' || outcome === 'device-missing'),
      outcomes.join(),
    )
    t.strictSame(await disks(two), {})
  }
})

function same(one: Tree, other: Tree): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort())
}
