import { randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { GuestStatus } from '#xenlight/cluster/colo/guest-commands.js'
import { GuestControl } from '#xenlight/cluster/colo/guest-control.js'
import { guestPlaces } from '#xenlight/cluster/colo/node/guest-places.js'
import { qemusOf } from '#xenlight/cluster/colo/node/guest-qemu.js'
import { serveGuest } from '#xenlight/cluster/colo/node/serve-guest.js'
import { connectSocket } from '#xenlight/link/node/socket.js'
import { eventually } from '../../../protocol-d/eventually.js'
import { type GuestMachine, guestMachine } from '../../guest-machine.js'

const timeout = 30_000

/** A node of a guest, in this process, with a real QEMU; the cluster's answers are the test's. */
export class TestNode {
  readonly machine: GuestMachine
  readonly folder: string
  readonly #environment: Parameters<typeof serveGuest>[0]['environment']
  #over = new AbortController()
  #served: Promise<string | undefined> = Promise.resolve(undefined)
  /** Why the cluster does not let it go on alone; undefined: it does. */
  no: string | undefined
  /** What it asked the cluster. */
  readonly asked: string[] = []
  readonly said: string[] = []

  constructor(folder: string, environment: TestNode['environment']) {
    this.folder = folder
    this.#environment = environment
    this.machine = guestMachine(folder)
  }

  get environment() {
    return this.#environment
  }

  start(): void {
    this.#over = new AbortController()
    const arbiter = {
      mayGoOnAlone: async () => {
        this.asked.push('alone')
        if (this.no !== undefined) throw new Error(this.no)
      },
      isEqual: async () => {
        this.asked.push('equal')
      },
    }
    const { signal } = this.#over
    const { program: qemu } = this.machine
    const environment = { ...this.#environment, parameters: { ...this.#environment.parameters, qemu } }
    const say = (text: string) => this.said.push(text)
    this.#served = serveGuest({ environment, folder: join(this.folder, 'run'), arbiter, say, signal })
    this.#served.catch(error => this.said.push(`failed: ${error.message}`))
  }

  /** Resolves to how QEMU ended by itself. */
  get ended(): Promise<string | undefined> {
    return this.#served
  }

  async end(): Promise<void> {
    this.#over.abort()
    await this.#served.catch(() => {})
  }

  killQemu(signal: NodeJS.Signals = 'SIGKILL'): void {
    for (const pid of qemusOf(join(this.folder, 'run'))) process.kill(pid, signal)
  }

  async ask<Result>(question: (control: GuestControl) => Promise<Result>): Promise<Result> {
    const path = guestPlaces(join(this.folder, 'run')).controlSocket
    await using control = new GuestControl(await connectSocket({ path }), path)
    return await question(control)
  }

  status(): Promise<GuestStatus> {
    return this.ask(control => control.status({ timeout }))
  }

  promote(number: number, force = false): Promise<void> {
    return this.ask(control => control.promote(number, force, { timeout }))
  }

  demote(): Promise<void> {
    return this.ask(control => control.demote({ timeout }))
  }

  /** Takes a checkpoint of what the guest has written. @returns the newest number that is kept */
  async checkpoint(): Promise<number> {
    const newest = this.machine.newest()
    await this.ask(control => control.checkpoint({ timeout }))
    return newest
  }

  async until(what: string, isSo: (status: GuestStatus) => boolean): Promise<void> {
    let last = ''
    const look = async () => {
      const status = await this.status().catch(error => `${error}`)
      last = JSON.stringify(status)
      return typeof status !== 'string' && isSo(status)
    }
    await eventually(what, look, () => `${last}\n${this.said.join('\n')}`)
  }

  /** Waits until the guest has begun once more than that. @returns the number that it went on behind */
  async begins(before = 0): Promise<number> {
    await eventually('the guest begins', () => this.machine.begun().length > before)
    return this.machine.begun()[before]!
  }

  /** Waits until the state file says that. */
  async says(pattern: RegExp): Promise<void> {
    const read = () => {
      try {
        return readFileSync(guestPlaces(join(this.folder, 'run')).stateFile, 'utf8')
      } catch {
        return ''
      }
    }
    await eventually(`the state is ${pattern}`, () => pattern.test(read()), read)
  }
}

/** Two nodes of a guest on this machine; all is gone when the test is. */
export function guestNodes(t: Test): { anna: TestNode; berta: TestNode } {
  const folder = mkdtempSync(join(tmpdir(), 'xenlight-guest-'))
  const pair_file = join(folder, 'pair')
  writeFileSync(pair_file, 'a name that nobody guesses\n')
  // the machine's other tests have other loopback addresses
  const hosts = [1, 2].map(() => [127, randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.'))
  const nodes = `anna=${hosts[0]}:7800 berta=${hosts[1]}:7800`
  const make = (node: string) => {
    const own = join(folder, node)
    mkdirSync(own)
    const parameters = {
      nodes,
      pair_file,
      records: join(own, 'records'),
      overlays: join(own, 'overlays'),
      every: '200ms',
    }
    return new TestNode(own, { instance: 'vm', node, timeout, level: 0, parameters })
  }
  const both = { anna: make('anna'), berta: make('berta') }
  t.teardown(async () => {
    for (const node of Object.values(both)) node.killQemu()
    for (const node of Object.values(both)) await node.end()
    rmSync(folder, { recursive: true, force: true })
  })
  return both
}
