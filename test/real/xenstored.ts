import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePacket } from '#xenlight/xenstore/packet.js'
import { MissingRealPart } from '../support/real-part.js'
import { buildC } from './c-program.js'

/** The daemon in C, and the one in OCaml. */
export type XenstoredKind = 'xenstored' | 'oxenstored'

/** The first and the last domid of some that exist. */
export type DomainRange = readonly [first: number, last: number]

export interface XenstoredOptions {
  /** The domains that the hypervisor knows, besides 0. All from 1 to 1000 if not given. */
  domains?: readonly DomainRange[]
  /** Added to the daemon's command line. */
  arguments?: readonly string[]
}

/** A real daemon of Debian's, with nothing in common with one of the machine's own or with another test's. */
export interface Xenstored extends AsyncDisposable {
  readonly kind: XenstoredKind
  /** The socket for domain 0. */
  readonly path: string
  readonly pid: number
  /** A socket through which one client talks on an introduced guest's own ring, from its introduction to its release. */
  domainPath(domid: number): string
  /** Other domains exist from now on; the daemon is told, as by a hypervisor, that some died. */
  setDomains(domains: readonly DomainRange[]): Promise<void>
  /** What it has printed and logged. */
  log(): string
  /** Ends it at once, with what it is in the middle of. */
  kill(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

const packages = 'gcc libc6-dev libxen-dev xen-utils-4.17'

/**
 * Starts a daemon with a preload library that stands for Xen. Resolves when it answers.
 *
 * @throws MissingRealPart without the daemon, gcc or libxen-dev
 */
export async function startXenstored(
  kind: XenstoredKind,
  { domains = [[1, 1000]], arguments: more = [] }: XenstoredOptions = {},
): Promise<Xenstored> {
  const program = `/usr/lib/xen-4.17/bin/${kind}`
  if (!existsSync(program)) throw new MissingRealPart(program, packages)
  const preload = buildC('xenstored-preload', { libraries: ['-shared', '-fPIC', '-ldl', '-lpthread'], packages })

  const directory = await mkdtemp(join(tmpdir(), 'xenstored-'))
  const path = join(directory, 'socket')
  const domainsFile = join(directory, 'domains')
  const writeDomains = (ranges: readonly DomainRange[]) =>
    writeFile(domainsFile, ranges.map(([first, last]) => `${first}-${last}\n`).join(''))
  await writeDomains(domains)
  const configFile = join(directory, 'oxenstored.conf')
  await writeFile(configFile, oxenstoredConfig)

  const ownArguments = kind === 'xenstored' ? ['--no-fork'] : ['--no-fork', '--config-file', configFile]
  const child = spawn(program, [...ownArguments, ...more], {
    cwd: directory,
    env: {
      LD_PRELOAD: preload,
      XENLIGHT_PARENT: String(process.pid),
      XENLIGHT_RUNDIR: directory,
      XENSTORED_ROOTDIR: directory,
      XENSTORED_RUNDIR: directory,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()).once('error', () => resolve()))
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('latin1').on('data', text => {
      printed += text
    })
  const log = () => {
    const file = join(directory, 'xenstored.log')
    return printed + (existsSync(file) ? readFileSync(file, 'latin1') : '')
  }
  const kill = () => {
    child.kill('SIGKILL')
    return exited
  }
  const stop = async () => {
    await kill()
    await rm(directory, { recursive: true, force: true })
  }

  try {
    await untilItAnswers(path, child)
  } catch (error) {
    const said = log()
    await stop()
    throw new Error(`${kind} does not answer: ${said}`, { cause: error })
  }
  return {
    kind,
    path,
    pid: child.pid!,
    domainPath: domid => join(directory, `domain-${domid}`),
    async setDomains(ranges) {
      await writeDomains(ranges)
      const socket = connect(join(directory, 'virq')).resume()
      await once(socket, 'close')
    },
    log,
    kill,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** The daemon's defaults besides: quotas, permissions, nothing kept on disk. */
const oxenstoredConfig = `
xenstored-kva = /proc/xen/xsd_kva
xenstored-port = /proc/xen/xsd_port
persistent = false
`

async function untilItAnswers(path: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      return await readRoot(path)
    } catch (error) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) throw error
      if (Date.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
}

async function readRoot(path: string): Promise<void> {
  const socket = connect(path)
  try {
    socket.write(encodePacket({ type: 2, requestId: 1, transactionId: 0, payload: Buffer.from('/\0') }))
    await once(socket, 'data')
  } finally {
    socket.destroy()
  }
}
