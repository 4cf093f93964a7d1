import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs, protectDisks } from 'xenlight/dm-args'
import { listenNbd, MemoryBackend } from 'xenlight/nbd'
import { cont, stop } from 'xenlight/qmp'
import { runWith } from '../../cli/fake-io.js'
import { guestDiskSize, writesIn } from '../../guest/numbered-disks.js'
import { guestSector, lastReported } from '../../guest/numbered-guest.js'
import { socketFolder } from '../../nbd/socket-folder.js'
import { eventually } from '../../protocol-d/eventually.js'
import { startQemu } from '../../real/qemu.js'
import { realPart } from '../../support/real-part.js'

const numbered = { disks: 1, sectors: 200 }

/** A guest whose disk an agent of ours would have, and that agent's place. */
async function lab(t: Test, argsOf: (run: string) => readonly string[]) {
  const around = socketFolder(t)
  const folder = join(around, 'a b,c%25?&;#é')
  mkdirSync(folder)
  const backend = new MemoryBackend(guestDiskSize(numbered))
  backend.write(0, guestSector(numbered))
  const serve = () => listenNbd({ path: join(folder, 'web.hda.sock') }, [{ name: 'web/hda', backend }])
  const console = join(around, 'console')
  const reported = () => (existsSync(console) ? lastReported(readFileSync(console)) : 0)
  let server = await serve()
  t.teardown(() => server.close())
  const started = await realPart(t, () => startQemu(['-m', '16', '-debugcon', `file:${console}`, ...argsOf(folder)]))
  if (started === undefined) return undefined
  if (started.qemu === undefined) throw new Error(started.refusal)
  return {
    qemu: started.qemu,
    reported,
    goAway: () => server.close(),
    async comeBack() {
      server = await serve()
    },
    writes: () => writesIn(numbered, [Buffer.from(backend.read(0, backend.size))]),
  }
}

t.test('QEMU takes the arguments of the command, and a guest outlives its agent', async t => {
  const command = ['--protect', 'hub:1', '--group', 'web', '--offline', '-oblockdev', '-0']
  const found = await lab(t, run => {
    const { status, stdout, stderr } = runWith([...command, '--run', run, 'format=qcow2,vdev=hda,target=/a'])
    t.equal(status, 0, stderr)
    return stdout.split('\0').slice(0, -1)
  })
  if (found === undefined) return
  const { reported, goAway, comeBack, writes } = found
  await using qemu = found.qemu
  await qemu.client.run(cont)
  await eventually('the guest is read from our server, and writes to it', () => reported() > 300)
  await goAway()
  await delay(200)
  const before = reported()
  await delay(500)
  t.equal(reported(), before, 'nothing is acknowledged meanwhile')
  await comeBack()
  await eventually('it goes on by itself', () => reported() > before + 300)
  await qemu.client.run(stop)
  await qemu.quit()
  const count = writes()
  t.ok(count === reported() || count === reported() + 1, `${count} writes, ${reported()} reported`)
  t.strictSame(
    qemu.events.filter(({ name }) => name === 'BLOCK_IO_ERROR'),
    [],
  )
})

t.test('an agent that stays away stops the guest, which is told nothing, and goes on later', async t => {
  const found = await lab(t, run => {
    const { disk } = protectDisks([parseDisk('vdev=hda,target=/a')], { group: 'web', run })[0]!
    const context = { domid: 1, domainType: 'hvm', target: 'missing', domidOf: () => undefined, create: true } as const
    return buildBlockdevArgs([resolveDisk(disk, context)], { domainType: 'hvm', reconnectDelay: 1 }).args
  })
  if (found === undefined) return
  const { reported, goAway, comeBack, writes } = found
  await using qemu = found.qemu
  const isRunning = async () => (await qemu.qmp<{ running: boolean }>('query-status')).running
  await qemu.client.run(cont)
  await eventually('the guest writes', () => reported() > 300)
  await goAway()
  await eventually('it is stopped', async () => !(await isRunning()))
  t.match(await qemu.qmp('query-status'), { status: 'io-error' })
  const before = reported()
  await comeBack()
  // QEMU begins to connect when it is asked, and fails what asked; again and again without a pause it never comes to the end
  await eventually('it goes on', async () => {
    if (!(await isRunning())) await qemu.client.run(cont)
    await delay(500)
    return reported() > before + 300
  })
  await qemu.client.run(stop)
  await qemu.quit()
  const count = writes()
  t.ok(count === reported() || count === reported() + 1, `${count} writes, ${reported()} reported`)
})
