import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { embeddedStore } from 'xenlight/xenstore'
import { populate } from '../../support/disk-store.js'
import { projectRoot } from '../../support/project-root.js'

const command = join(projectRoot, 'dist/bin/xl-disk-parse.cjs')
const backend = '/local/domain/7/backend/vbd/11/51712'
const spec = 'vdev=xvda,backend=storage,target=/dev/a'

/** Through env, which becomes the command, as tap would put its loaders into it. */
function start(socket: string, ...args: string[]) {
  const { PATH } = process.env
  const child = spawn('env', ['-i', `PATH=${PATH}`, `XENSTORED_PATH=${socket}`, process.execPath, command, ...args])
  let said = ''
  child.stderr.on('data', text => {
    said += text
  })
  const ended = new Promise<{ status: number | null; by: NodeJS.Signals | null; said: string }>(resolve =>
    child.once('close', (status, by) => resolve({ status, by, said })),
  )
  return { child, ended }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`the command that is built takes away what it wrote, and ends by ${signal}`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'xenlight-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    await using embedded = embeddedStore()
    await using listener = await embedded.listen(join(folder, 'socket'))
    await using store = embedded.connect()
    await populate(store, [{ domid: 11, type: 'pv' }])

    const { child, ended } = start(listener.path, '--apply', '--domid', '11', spec)
    await store.waitForValue(`${backend}/state`, '1', { timeout: 60_000 })
    child.kill(signal)
    t.match(await ended, { status: null, by: signal, said: /^error\[ERROR_ABORTED\]: .*rolled back/ })
    t.equal(await store.readIfPresent(backend), undefined)
    t.equal(await store.readIfPresent('/libxl/11/device'), undefined)
  })
}

t.test('the command that is built says that there is no daemon', async t => {
  const { status, said } = await start('/nowhere/socket', '--list', '--domid', '11').ended
  t.equal(status, 1)
  t.equal(said, 'xl-disk-parse: xenstore: CONNECT /nowhere/socket: ENOENT (no such socket: is xenstored running?)\n')
})
