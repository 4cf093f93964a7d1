import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type TcpProxy, tcpProxy } from '../../colo/tcp-proxy.js'
import { freePort } from '../../protocol-d/free-port.js'
import { projectRoot } from '../../support/project-root.js'

/** How soon a hub that has ended is started again, in milliseconds. */
const restartAfter = 300

/** A machine with a hub, which is started again whenever it ends; with its own way to each member of etcd. */
export class HubHost implements AsyncDisposable {
  readonly name: string
  readonly nbd: string
  readonly agents: string
  /** How each of its processes has ended. */
  readonly ends: string[] = []
  readonly #args: readonly string[]
  readonly #imports: readonly string[]
  readonly #proxies: readonly TcpProxy[]
  #child: ChildProcess | undefined
  #said = ''
  #isOver = false

  private constructor(
    name: string,
    folder: string,
    args: readonly string[],
    imports: readonly string[],
    proxies: readonly TcpProxy[],
  ) {
    this.name = name
    this.nbd = join(folder, `${name}.nbd`)
    this.agents = join(folder, `${name}.agents`)
    const where = ['--listen', this.agents, '--nbd', this.nbd, '--control', join(folder, `${name}.ctl`)]
    this.#args = [...args, ...where]
    this.#imports = imports
    this.#proxies = proxies
  }

  /** @param endpoints of etcd's members @param planted modules that its processes load first */
  static async start(
    name: string,
    {
      folder,
      endpoints,
      ttl,
      planted,
    }: { folder: string; endpoints: readonly string[]; ttl: number; planted: readonly string[] },
  ): Promise<HubHost> {
    const proxies: TcpProxy[] = []
    const urls: string[] = []
    for (const endpoint of endpoints) {
      const port = await freePort()
      const to = { host: '127.0.0.1', port: Number(new URL(endpoint).port) }
      proxies.push(await tcpProxy('127.0.0.1', to, { port, delay: 0 }))
      urls.push(`http://127.0.0.1:${port}`)
    }
    const lease = ['--lease', 'copies', '--etcd', urls.join(','), '--lease-ttl', `${ttl}ms`]
    const imports = planted.flatMap(file => ['--import', join(projectRoot, 'build/test/lease/hub/planted', file)])
    const args = ['serve', '--data', join(folder, 'copies'), ...lease]
    const host = new HubHost(name, folder, args, imports, proxies)
    host.#start()
    return host
  }

  get pid(): number {
    return this.#child!.pid!
  }

  get said(): string {
    return this.#said
  }

  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  /** Nothing comes through to etcd until `join`. */
  cutOff(): void {
    for (const proxy of this.#proxies) proxy.stall()
  }

  join(): void {
    for (const proxy of this.#proxies) {
      proxy.cut()
      proxy.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    const child = this.#child!
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await exited
    }
    for (const proxy of this.#proxies) proxy[Symbol.dispose]()
  }

  #start(): void {
    const main = join(projectRoot, 'dist/rephub/main.js')
    const words = ['--pdeathsig', 'KILL', process.execPath, ...this.#imports, main, ...this.#args]
    const child = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        this.#said = (this.#said + text).slice(-4000)
      })
    this.#child = child
    child.once('exit', (code, signal) => {
      this.ends.push(String(signal ?? code))
      if (!this.#isOver) void delay(restartAfter).then(() => this.#isOver || this.#start())
    })
  }
}
