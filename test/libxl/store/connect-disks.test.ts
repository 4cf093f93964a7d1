import t, { type Test } from 'tap'
import { addDisk, addDisks, type DiskHost, listDisks, parseDisk, type ScriptCall } from 'xenlight'
import type { Xenstore } from 'xenlight/xenstore'
import { hostWhere, storeWith, type Tree, treeAt } from '../../support/disk-store.js'

const devices = ['/libxl/11/device', '/local/domain/11/device', '/local/domain/0/backend']
const nodesLeft = async (store: Xenstore): Promise<string[]> =>
  Object.keys((await treeAt(store, devices)) satisfies Tree).filter(path => /\/51[0-9]{3}\b/.test(path))

/** Backends in domain 0: each takes up what it is offered, and closes what it is told to, but for the devices in `deaf`. */
function backends(t: Test, store: Xenstore, deaf: readonly string[] = []): void {
  const watch = store.watch('/local/domain/0/backend')
  t.teardown(() => watch[Symbol.asyncDispose]())
  const answers: Record<string, string> = { 1: '2', 5: '6' }
  const serve = async () => {
    for await (const { path } of watch) {
      if (!path.endsWith('/state') || deaf.some(devid => path.includes(`/${devid}/`))) continue
      const answer = answers[(await store.readIfPresent(path)) ?? '']
      if (answer !== undefined) await store.write(path, answer)
    }
  }
  serve().catch(() => {})
}

/** Scripts that set a device up, but for the devices in `broken`. */
function scripted(store: Xenstore, broken: readonly string[] = []): { host: DiskHost; calls: string[] } {
  const calls: string[] = []
  const runScript = async ({ script, args, env: { XENBUS_PATH } }: ScriptCall) => {
    calls.push(`${script} ${args.join(' ')} ${XENBUS_PATH}`)
    const path = `/local/domain/0/${XENBUS_PATH}`
    if (broken.some(devid => path.endsWith(devid))) return { status: 1, stderr: 'no such device' }
    if (args[0] === 'add') {
      await store.write(`${path}/physical-device`, '7:0')
      await store.write(`${path}/hotplug-status`, 'connected')
      await store.write(`${path}/state`, '4')
    }
    return { status: 0, stderr: '' }
  }
  return { host: { ...hostWhere(() => 'block'), runScript }, calls }
}

const specs = ['vdev=xvda,target=/dev/a', 'vdev=xvdb,target=/dev/b'].map(spec => parseDisk(spec))
const call = (action: string, devid: number): string => `/etc/xen/scripts/block ${action} backend/vbd/11/${devid}`

t.test('disks whose backends take them up', async t => {
  const store = await storeWith(t)
  backends(t, store)
  const { host, calls } = scripted(store)
  t.equal((await addDisks(store, specs, { domid: 11, host })).length, 2)
  t.strictSame(calls.sort(), [call('add', 51712), call('add', 51728)])
  t.strictSame((await listDisks(store, 11)).map(({ vdev }) => vdev).sort(), ['xvda', 'xvdb'])
})

t.test('a backend that does not answer', async t => {
  const store = await storeWith(t)
  const { host, calls } = scripted(store)
  const options = { domid: 11, host, timeouts: { backend: 20 } }
  await t.rejects(addDisk(store, specs[0]!, options), {
    rc: -9,
    code: 'ERROR_TIMEDOUT',
    message: /51712.*; all changes were rolled back$/,
    cause: { rc: -9 },
  })
  t.strictSame(await nodesLeft(store), [])
  await t.rejects(addDisk(store, specs[0]!, { ...options, libxlExact: true }), {
    rc: -9,
    message: /51712(?!.*taken away)/,
  })
  t.not((await nodesLeft(store)).length, 0, 'libxl leaves it')
  t.strictSame(calls, [])
})

t.test('one of several fails: the others are unmade by their scripts', async t => {
  const store = await storeWith(t)
  backends(t, store)
  const { host, calls } = scripted(store, ['51728'])
  await t.rejects(addDisks(store, specs, { domid: 11, host }), {
    rc: -3,
    message: /^disk 2 of 2 \(xvdb\): .*no such device.*; all changes were rolled back$/s,
  })
  t.strictSame(await nodesLeft(store), [])
  t.ok(calls.includes(call('add', 51712)) && calls.includes(call('remove', 51712)), calls.join())
})

t.test('both fail, and both are told', async t => {
  const store = await storeWith(t)
  backends(t, store)
  const { host } = scripted(store, ['51712', '51728'])
  await t.rejects(addDisks(store, specs, { domid: 11, host }), {
    message: /^disk 1 of 2 \(xvda\): .*; disk 2 of 2 \(xvdb\): .*; all changes were rolled back$/s,
  })
  t.strictSame(await nodesLeft(store), [])
})

t.test('given up while it waits for a backend', async t => {
  const store = await storeWith(t)
  backends(t, store, ['51728'])
  const { host, calls } = scripted(store)
  const controller = new AbortController()
  const adding = addDisks(store, specs, { domid: 11, host, signal: controller.signal })
  await store.waitForValue('/local/domain/0/backend/vbd/11/51712/state', '4')
  controller.abort(new Error('enough'))
  await t.rejects(adding, {
    rc: -22,
    message: 'attaching disks to domain 11 was aborted; all changes were rolled back',
    cause: { message: 'enough' },
  })
  t.strictSame(await nodesLeft(store), [])
  t.equal(calls.filter(one => one === call('remove', 51712)).length, 1)
})
