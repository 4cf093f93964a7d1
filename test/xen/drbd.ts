// What drbd.faults.ts runs in dom0 of a real Xen, beside the script of Xen that libxl asks; its standard output is TAP.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseDisk, resolveDisk } from 'xenlight'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import { drbdKind, openDrbdDevice, type ProbeResult, probeDrbd, probeStatuses, runDrbdTool } from 'xenlight/remus'
import { eventually, run } from './dom0.js'
import { DrbdResource } from './drbd-resource.js'

const command = fileURLToPath(new URL('../node_modules/xenlight/dist/bin/xl-remus.cjs', import.meta.url))
const upstream = '/etc/xen/scripts/block-drbd-probe'

/** An emulated Xen on a busy machine takes its time. */
const probe = (target: string) => probeDrbd(target, { run: runDrbdTool, timeout: 120_000 })

/** What we find, and that Xen's script has one answer for it all: 1, of which libxl says nothing. */
async function finds(target: string, expected: Partial<ProbeResult>): Promise<void> {
  const found = await probe(target)
  for (const [name, value] of Object.entries(expected))
    assert.deepEqual(found[name as keyof ProbeResult], value, `${target}: ${name} of ${JSON.stringify(found)}`)
  assert(found.why && found.hint)
  assert.equal(spawnSync(upstream, [target]).status, 1, `${target}, asked by ${upstream}`)
}

/** The built command says the same, by its exit status too. */
async function isSaid(target: string): Promise<void> {
  const found = await probe(target)
  const args = [command, 'probe', target, '--json', '--timeout', '120s']
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(found)))
  assert.equal(status, probeStatuses[found.outcome])
}

const onDrbd = { resource: 'r0', device: '/dev/drbd0' }
const protocolC = { ...onDrbd, outcome: 'not-protocol-d', protocol: 'C' } as const
const connected = { ...protocolC, connection: 'Connected', disks: ['UpToDate', 'UpToDate'] } as const

let resource: DrbdResource

describe('DRBD 8.4, protocol C, from its configuration to its end', () => {
  before(async () => {
    resource = await DrbdResource.configure()
  })
  after(() => resource?.destroy())

  test('what is no device of DRBD, and what is configured and not up', async () => {
    await finds('/dev/loop0', { outcome: 'not-drbd' })
    await finds('/dev/drbd5', { outcome: 'not-drbd' })
    await finds('drbd:nosuch', { outcome: 'not-drbd' })
    await finds('/dev/drbd0', { outcome: 'not-ready' })
    await finds('drbd:r0', { outcome: 'not-ready' })
    await isSaid('/dev/drbd5')
  })

  test('without its peer', async () => {
    await resource.up()
    await finds('drbd:r0', { ...protocolC, connection: 'Connecting', roles: ['Secondary', 'Unknown'] })
  })

  test('both ends, both Secondary', async () => {
    await resource.connect()
    await eventually('r0 is UpToDate', async () =>
      (await probe('drbd:r0')).disks?.[1] === 'UpToDate' ? true : undefined,
    )
    await finds('/dev/drbd0', { ...connected, roles: ['Secondary', 'Secondary'] })
  })

  test('its Primary, by each of its names, and the Secondary', async () => {
    await run('drbdadm', 'primary', 'r0')
    for (const target of ['/dev/drbd0', 'drbd:r0', '/dev/drbd/by-res/r0/0'])
      await finds(target, { ...connected, roles: ['Primary', 'Secondary'] })
    const secondary = { resource: 'r0p', device: '/dev/drbd1', roles: ['Secondary', 'Primary'] as const }
    await finds('/dev/drbd1', { ...connected, ...secondary })
    await isSaid('/dev/drbd0')
  })

  test('the set-up of a guest says which answer it was', async () => {
    const where = { domid: 1, domainType: 'pv', target: 'block', domidOf: () => undefined } as const
    const kinds = [drbdKind({ probe, open: openDrbdDevice })]
    for (const spec of ['phy:/dev/drbd0,xvda,w', 'format=raw,vdev=xvda,access=rw,script=block-drbd,target=r0']) {
      const disk = resolveDisk(parseDisk(spec), where)
      await assert.rejects(setUpCheckpoints([disk], kinds, { nameOf: ({ vdev }) => vdev }), {
        code: 'step-failed',
        message: /not-protocol-d: DRBD resource r0 uses protocol C: only D has checkpoints/,
      })
    }
  })

  test('its driver has no checkpoints: the ioctls reach it, and it knows none', async () => {
    const { signal } = new AbortController()
    const device = await openDrbdDevice('/dev/drbd0', { signal })
    assert.deepEqual(await device.ioctl(20, { signal }), { error: 'ENOTTY' })
    assert.deepEqual(await device.ioctl(30, { signal }), { error: 'ENOTTY' })
    await device.close()
  })

  test('disconnected, and connected again as the hint says', async () => {
    await run('drbdadm', 'disconnect', 'r0')
    const alone = { ...onDrbd, outcome: 'not-ready', protocol: undefined, connection: 'StandAlone' } as const
    await finds('/dev/drbd0', { ...alone, roles: ['Primary', 'Unknown'], hint: 'connect it: drbdadm adjust r0' })
    await isSaid('/dev/drbd0')
    await run('drbdadm', 'adjust', 'r0')
    await eventually('r0 leaves StandAlone', async () => ((await probe('drbd:r0')).protocol === 'C' ? true : undefined))
  })
})
