import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { decodeText } from '#xenlight/byte-text.js'
import { openQmp } from '#xenlight/qmp/client.js'
import type { QmpArguments } from '#xenlight/qmp/command.js'
import type { QmpEvent } from '#xenlight/qmp/message.js'
import type { Qmp } from '#xenlight/qmp/qmp.js'
import { MissingRealPart } from '../support/real-part.js'
import { streamDuplex } from '../support/stream-duplex.js'

/** Debian's QEMU for PCs, and the one that it builds for Xen (which knows no replication, thus no COLO secondary). */
export type QemuBinary = 'qemu-system-x86_64' | 'xen-qemu-system-i386'

/** A QEMU that has taken its arguments and stands before its guest's first instruction. */
export interface Qemu extends AsyncDisposable {
  readonly pid: number
  readonly client: Qmp
  /** Resolves to what the command returns. @throws QmpError if QEMU refuses it */
  qmp<Result>(command: string, args?: QmpArguments): Promise<Result>
  /** The same, past a command that QEMU is still busy with. */
  qmpOutOfBand<Result>(command: string, args?: QmpArguments): Promise<Result>
  /** What it told unasked, oldest first. */
  readonly events: readonly QmpEvent[]
  /** Types a line to the human monitor; resolves to what is printed. Most errors are told there, too. */
  monitor(line: string): Promise<string>
  /** The regular files and block devices below a directory that it holds open, sorted. */
  openFiles(directory: string): string[]
  /** What it has printed, such as warnings; the answers to the monitor's `qemu-io` are all there only after `quit`. */
  printed(): string
  /** Ends it in order, its images closed. */
  quit(): Promise<void>
  /** Ends it at once. */
  stop(): Promise<void>
}

/** A running QEMU, or what it said when it refused its arguments. */
export type Started = { qemu: Qemu; refusal?: undefined } | { qemu?: undefined; refusal: string }

export interface QemuOptions {
  binary?: QemuBinary
  /** Relative names are looked for here. */
  cwd?: string
  /** A folder that QEMU sees as /dev; the real one it sees as /mnt, for links. Needs root. */
  dev?: string | undefined
  /** Open files that it inherits, as its descriptors 4, 5, …: for `-add-fd`. */
  inherited?: readonly number[]
}

const binaries = {
  'qemu-system-x86_64': { path: '/usr/bin/qemu-system-x86_64', packages: 'qemu-system-x86', accelerator: [] },
  'xen-qemu-system-i386': {
    path: '/usr/libexec/xen-qemu-system-i386',
    packages: 'qemu-system-xen',
    // its own needs a hypervisor
    accelerator: ['-accel', 'qtest'],
  },
}

const starts = new Map<QemuBinary, number>()

/** How often this process started each QEMU, for `t.comment`. */
export const startsOfQemu = (): string[] => [...starts].map(([binary, count]) => `${count} starts of ${binary}`)

/**
 * Starts a QEMU with a bare PC and these arguments, about 20 ms. It dies with this process.
 *
 *     const { qemu, refusal } = await startQemu(['-drive', …], { cwd: images })
 *     if (qemu === undefined) return t.match(refusal, /Could not open/)
 *     await using _ = qemu
 *     await qemu.qmp('query-block')
 *
 * Wrapped in `realPart` it skips a test on a machine without QEMU. `stop` it, or it lives as long as the test's process.
 *
 * @throws MissingRealPart without the program
 */
export async function startQemu(args: readonly string[], options: QemuOptions = {}): Promise<Started> {
  const { binary = 'qemu-system-x86_64', cwd, dev, inherited = [] } = options
  const { path, packages, accelerator } = binaries[binary]
  if (!existsSync(path)) throw new MissingRealPart(path, packages)
  starts.set(binary, (starts.get(binary) ?? 0) + 1)

  const machine = ['-M', 'pc', ...accelerator, '-display', 'none', '-nodefaults', '-S']
  const monitor = ['-chardev', 'socket,id=monitor,fd=3', '-mon', 'chardev=monitor,mode=control']
  const command = [...(dev === undefined ? [] : withDev(dev)), path, ...machine, ...monitor, ...args]
  // A test that is killed stops nothing: the kernel does.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
    cwd,
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...inherited],
  })
  let said = ''
  let end = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', text => {
      said += text
    })
  const closed = new Promise<void>(resolve => {
    child.once('error', error => {
      end = String(error)
      resolve()
    })
    child.once('close', (status, signal) => {
      end = signal ?? `status ${status}`
      resolve()
    })
  })
  const stop = () => {
    child.kill('SIGKILL')
    return closed
  }

  const socket = child.stdio[3] as Duplex
  let qmp: Qmp
  try {
    qmp = await openQmp(streamDuplex(socket))
  } catch {
    await closed
    return { refusal: end === 'status 1' ? said : `${end}: ${said}` }
  }
  const events: QmpEvent[] = []
  const keep = async () => {
    for await (const event of qmp.events()) events.push(event)
  }
  keep().catch(() => {})
  const ask = <Result>(answer: Promise<unknown>) => answer as Promise<Result>
  return {
    qemu: {
      pid: child.pid!,
      client: qmp,
      qmp: (command, args) => ask(qmp.execute(command, args)),
      qmpOutOfBand: (command, args) => ask(qmp.executeOutOfBand(command, args)),
      events,
      monitor: line => ask(qmp.execute('human-monitor-command', { 'command-line': line })),
      openFiles: directory => openFiles(child.pid!, directory),
      printed: () => said,
      async quit() {
        await qmp.execute('quit')
        await closed
      },
      stop,
      [Symbol.asyncDispose]: stop,
    },
  }
}

/** What runs a program with another /dev. */
const withDev = (directory: string): string[] => {
  const script = 'mount --bind /dev /mnt && mount --bind "$0" /dev && exec "$@"'
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, directory]
}

function openFiles(pid: number, directory: string): string[] {
  const below = directory.endsWith('/') ? directory : `${directory}/`
  const paths = new Set<string>()
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    const link = `/proc/${pid}/fd/${descriptor}`
    const stats = statSync(link, { throwIfNoEntry: false })
    if (!stats?.isFile() && !stats?.isBlockDevice()) continue
    const path = decodeText(readlinkSync(link, 'buffer'))
    if (path.startsWith(below)) paths.add(path)
  }
  return [...paths].sort()
}
