import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { parseDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs } from 'xenlight/dm-args'
import { connectQmp, type Qmp } from 'xenlight/qmp'
import { projectRoot } from '../support/project-root.js'
import { MissingRealPart } from '../support/real-part.js'
import { type Ended, type Staying, staying } from '../support/staying.js'

const command = join(projectRoot, 'dist/bin/xl-colo.cjs')
const binary = '/usr/bin/qemu-system-x86_64'

/** A QEMU whose monitors are real sockets. */
export interface SocketQemu {
  /** As --primary and --secondary have it. */
  sockets: string
  /** A third monitor, for who looks on. */
  third: string
  image: string
  /** Does on the disk what a guest would; QEMU prints what came of it. */
  guest(command: string): Promise<void>
  printed(): string
  qmp(): Promise<Qmp>
  signal(name: NodeJS.Signals): void
  /** SIGKILL. */
  kill(): Promise<void>
  /** Ends it in order. */
  quit(): Promise<void>
}

/** A machine with QEMUs and our command; all is gone when the test is. */
export interface Machine {
  folder: string
  listen: string
  /** The same host: what was a secondary here keeps its port. */
  otherPort: string
  boot(name: string, role: 'primary' | 'secondary', options?: BootOptions): Promise<SocketQemu>
  /** Runs the command to its end. */
  colo(...args: string[]): Promise<Ended>
  /** Starts the command, which stays. */
  stay(...args: string[]): Staying
}

export function machine(t: Test): Machine {
  if (!existsSync(binary)) throw new MissingRealPart(binary, 'qemu-system-x86')
  const folder = mkdtempSync(join(tmpdir(), 'xl-colo-'))
  const children: ChildProcess[] = []
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  // the machine's other tests have other loopback addresses
  const host = [127, randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.')
  const stay = (...args: string[]): Staying => {
    const { PATH } = process.env
    const env = { PATH, HOME: folder, XENSTORED_PATH: join(folder, 'xenstored'), LC_ALL: 'C' }
    const withRecords =
      args.includes('--records') || args[0] === 'prepare' ? [] : ['--records', join(folder, 'records')]
    const child = spawn(process.execPath, [command, ...args, ...withRecords], { cwd: folder, env })
    children.push(child)
    return staying(child)
  }
  return {
    folder,
    listen: `${host}:9000`,
    otherPort: `${host}:9001`,
    boot: (name, role, options) => boot(folder, host, children, name, role, options),
    colo: (...args) => stay(...args).ended,
    stay,
  }
}

interface BootOptions {
  size?: string
  /** Its colo-export. */
  disk?: string
  /** That of another disk, on SCSI. */
  second?: string
  args?: readonly string[]
}

async function boot(
  folder: string,
  host: string,
  children: ChildProcess[],
  name: string,
  role: 'primary' | 'secondary',
  { size = '4M', disk = 'disk0', second, args: more = [] }: BootOptions = {},
): Promise<SocketQemu> {
  const path = (ending: string) => join(folder, `${name}${ending}`)
  const image = path('.img')
  const make = (file: string, format: string) => {
    if (!existsSync(file)) execFileSync('qemu-img', ['create', '-q', '-f', format, file, size])
  }
  const diskOf = (vdev: string, exported: string, place: string) => {
    const target = path(`${place}.img`)
    const [active, hidden] = [path(`${place}-active.qcow2`), path(`${place}-hidden.qcow2`)]
    make(target, 'raw')
    for (const overlay of [active, hidden]) make(overlay, 'qcow2')
    const spec = [
      `format=raw,vdev=${vdev},colo,colo-host=${host},colo-port=9000,colo-export=${exported}`,
      `active-disk=${active},hidden-disk=${hidden},target=${target}`,
    ]
    const guest = { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined } as const
    return resolveDisk(parseDisk(spec.join(',')), guest)
  }
  const disks = [diskOf('hda', disk, ''), ...(second === undefined ? [] : [diskOf('sda', second, '-2')])]
  const { args } = buildBlockdevArgs(disks, { domainType: 'hvm', coloRestore: role === 'secondary' })
  const sockets = [1, 2, 3, 4].map(number => path(`.${number}`))
  for (const socket of sockets) rmSync(socket, { force: true })
  const monitors = sockets.flatMap(socket => ['-qmp', `unix:${socket},server=on,wait=off`])
  const machine = ['-M', 'pc', '-display', 'none', '-nodefaults', '-S', ...monitors, ...more, ...args]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', binary, ...machine], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      printed += text
    })
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  const qmp = () => connectQmp({ path: sockets[3]! }, { timeout: 5000 })
  for (let tries = 0; !existsSync(sockets[3]!); tries++) {
    if (tries > 500 || child.exitCode !== null) throw new Error(`QEMU did not start: ${printed}`)
    await delay(10)
  }
  return {
    sockets: `${sockets[0]},${sockets[1]}`,
    third: sockets[2]!,
    image,
    async guest(command) {
      await using monitor = await qmp()
      const drives = (await monitor.execute('query-block')) as { qdev?: string }[]
      const { qdev } = drives.find(({ qdev }) => qdev !== undefined)!
      const text = `qemu-io -d ${qdev} "${command}"`
      const complaint = await monitor.execute('human-monitor-command', { 'command-line': text })
      if (complaint !== '') throw new Error(String(complaint))
    },
    printed: () => printed,
    qmp,
    signal: name => child.kill(name),
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
    async quit() {
      await using monitor = await qmp()
      await monitor.execute('quit')
      await closed
    },
  }
}
