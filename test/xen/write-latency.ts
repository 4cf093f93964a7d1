// What the bench of DRBD runs in dom0 of a real Xen: how long a synchronous write takes on DRBD's protocol C and on protocol D in user space,
// both nodes of each in this kernel, by turns. Its standard output ends with a line of JSON.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants, mkdtempSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectDiskControl, createReplicatedDisk, type DiskControl } from 'xenlight/protocol-d'
import { eventually, run } from './dom0.js'
import { DrbdResource } from './drbd-resource.js'

const command = fileURLToPath(new URL('../node_modules/xenlight/dist/bin/xl-remus.cjs', import.meta.url))
const size = 64 << 20
const rounds = 6
const writesOfRound = 30

/** Writes 4 KiB here and there, each of which is durable when it is through. @returns how long each took, in milliseconds */
async function latencies(device: string, then: () => Promise<unknown> = async () => {}): Promise<number[]> {
  const file = await open(device, constants.O_RDWR | constants.O_DSYNC)
  const times: number[] = []
  try {
    for (let write = 0; write < writesOfRound; write++) {
      const start = performance.now()
      await file.write(Buffer.alloc(4096, write), 0, 4096, ((write * 7919) % 8192) * 4096)
      await then()
      times.push(performance.now() - start)
    }
  } finally {
    await file.close()
  }
  return times
}

/** A pair of nodes; the first is Primary, and its disk is /dev/nbd0. */
class Pair {
  readonly #children: ChildProcess[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'pair-'))
  control!: DiskControl

  async start(): Promise<void> {
    const at = (name: string) => join(this.#folder, name)
    writeFileSync(at('pair'), 'latency\n')
    const where = '127.0.0.1:7800'
    for (const [name, option] of [
      ['a', '--listen'],
      ['b', '--connect'],
    ] as const) {
      await createReplicatedDisk({ data: at(name), size, pair: 'latency', logSize: size })
      const sockets = ['--nbd', at(`${name}.nbd`), '--control', at(`${name}.ctl`)]
      const args = [
        command,
        'serve',
        at(name),
        '--pair-file',
        at('pair'),
        option,
        where,
        ...sockets,
        '--dead-after',
        '60s',
      ]
      this.#children.push(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
    }
    this.control = await eventually('a node is served', () => connectDiskControl(at('a.ctl')).catch(() => undefined))
    await this.control.promote({ force: true })
    await eventually('both hold the same', async () =>
      (await this.control.status()).connection === 'equal' ? true : undefined,
    )
    await run('modprobe', 'nbd')
    await run('nbd-client', '-unix', at('a.nbd'), '/dev/nbd0', '-N', 'disk', '-timeout', '60')
  }

  async end(): Promise<void> {
    await run('nbd-client', '-d', '/dev/nbd0')
    await this.control.close()
    for (const child of this.#children) child.kill('SIGKILL')
  }
}

const resource = await DrbdResource.configure()
await resource.up()
await resource.connect()
await run('drbdadm', 'primary', 'r0')
const pair = new Pair()
await pair.start()
const times = { protocolC: [] as number[], protocolD: [] as number[], checkpoint: [] as number[] }
// the first round warms both up
for (let round = 0; round <= rounds; round++) {
  const measured = {
    protocolC: await latencies('/dev/drbd0'),
    protocolD: await latencies('/dev/nbd0'),
    checkpoint: [] as number[],
  }
  await pair.control.setCheckpointing(true)
  measured.checkpoint = await latencies('/dev/nbd0', async () => {
    await pair.control.checkpoint()
    await pair.control.waitForAck()
  })
  await pair.control.setCheckpointing(false)
  if (round > 0)
    for (const kind of ['protocolC', 'protocolD', 'checkpoint'] as const) times[kind].push(...measured[kind])
}
await pair.end()
await run('drbdadm', 'secondary', 'r0')
await resource.destroy()
console.log(`\n${JSON.stringify(times)}`)
process.exit(0)
