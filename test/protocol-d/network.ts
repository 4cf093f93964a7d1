import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { type TcpProxy, tcpProxy } from '../colo/tcp-proxy.js'
import { MissingRealPart } from '../support/real-part.js'
import { freePort } from './free-port.js'

const run = promisify(execFile)

/** What two nodes are connected by. */
export interface Network extends AsyncDisposable {
  readonly what: string
  /** Where the first node listens, and where the second connects to. */
  readonly listen: string
  readonly connect: string
  /** What a node's command begins with. */
  readonly prefixes: readonly [readonly string[], readonly string[]]
  /** To be called when the first node listens. */
  begin(): Promise<void>
  /** Ends what is connected; nothing comes through until `resume`. */
  cut(): Promise<void>
  /** Nothing comes through, and nobody is told. */
  stall(): Promise<void>
  resume(): Promise<void>
}

/** Both on this machine's loopback, with a proxy between them. @param delay of each piece, in milliseconds */
export async function proxyNetwork(delay: number): Promise<Network> {
  const [near, far] = [await freePort(), await freePort()]
  let proxy: TcpProxy | undefined
  return {
    what: delay === 0 ? 'a proxy' : `a proxy that takes ${delay} ms`,
    listen: `127.0.0.1:${near}`,
    connect: `127.0.0.1:${far}`,
    prefixes: [[], []],
    async begin() {
      proxy = await tcpProxy('127.0.0.1', { host: '127.0.0.1', port: near }, { port: far, delay })
    },
    async cut() {
      // it would come back at once
      proxy!.stall()
      proxy!.cut()
    },
    stall: async () => proxy!.stall(),
    resume: async () => proxy!.resume(),
    async [Symbol.asyncDispose]() {
      proxy?.[Symbol.dispose]()
    },
  }
}

let count = 0

/** Each in a network namespace of its own, with a cable between them that can be pulled: neither end hears of that. */
export async function namespaceNetwork(): Promise<Network> {
  if (!existsSync('/usr/sbin/ip') && !existsSync('/sbin/ip')) throw new MissingRealPart('ip', 'iproute2')
  const name = `xenlight-${process.pid}-${count++}`
  const [first, second] = [`${name}-a`, `${name}-b`]
  const ip = (...args: string[]) => run('ip', args)
  const remove = () => {
    for (const namespace of [first, second]) execFileSync('ip', ['netns', 'del', namespace], { stdio: 'ignore' })
  }
  await ip('netns', 'add', first)
  await ip('netns', 'add', second)
  await ip('link', 'add', 'cable', 'netns', first, 'type', 'veth', 'peer', 'name', 'cable', 'netns', second)
  const cable = async (state: 'up' | 'down') => {
    for (const namespace of [first, second]) await ip('-n', namespace, 'link', 'set', 'cable', state)
  }
  for (const [namespace, address] of [
    [first, '192.0.2.1/24'],
    [second, '192.0.2.2/24'],
  ] as const)
    await ip('-n', namespace, 'address', 'add', address, 'dev', 'cable')
  await cable('up')
  return {
    what: 'a cable between two network namespaces',
    listen: '192.0.2.1:7800',
    connect: '192.0.2.1:7800',
    prefixes: [
      ['ip', 'netns', 'exec', first],
      ['ip', 'netns', 'exec', second],
    ],
    begin: async () => {},
    cut: () => cable('down'),
    stall: () => cable('down'),
    resume: () => cable('up'),
    async [Symbol.asyncDispose]() {
      remove()
    },
  }
}
