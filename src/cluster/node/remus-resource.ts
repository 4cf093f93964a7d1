import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectDiskControl } from '../../protocol-d/node/connect-disk-control.js'
import { ProtocolDError } from '../../protocol-d/protocol-d-error.js'
import type { Resource } from '../agent.js'
import type { ClusterView } from '../cluster-view.js'
import type { OcfEnvironment } from '../ocf-environment.js'
import { OcfFailure } from '../ocf-failure.js'
import { type Place, placesOf } from '../remus-agent.js'
import { remusView } from '../remus-view.js'
import { isLocked } from './is-locked.js'
import { processOf, type ReadState } from './read-state.js'
import type { RunPlace } from './run-place.js'
import { startProcess, stopProcess } from './served-process.js'

/** How long the process may take to answer, in milliseconds. */
const answerTimeout = 5000

/** A node of a replicated disk: `xl-remus serve`. */
export class RemusResource implements Resource {
  readonly #environment: OcfEnvironment
  readonly #place: RunPlace
  readonly #disk: string

  constructor(environment: OcfEnvironment, place: RunPlace) {
    const { disk = '' } = environment.parameters
    this.#environment = environment
    this.#place = place
    this.#disk = disk
  }

  async validate(): Promise<void> {
    const { pair_file: pairFile = '' } = this.#environment.parameters
    placesOf(this.#environment)
    for (const file of [this.#disk, pairFile])
      if (!file.startsWith('/')) throw new OcfFailure('notConfigured', `${file} is no absolute path`)
    for (const [file, what] of [
      [this.#disk, 'the disk'],
      [this.#meta, "the node's metadata (xl-remus create makes it)"],
      [pairFile, "the file with the pair's name"],
    ] as const)
      if (!existsSync(file)) throw new OcfFailure('wrongArguments', `${what} is not on this node: ${file}`)
  }

  async isServed(): Promise<boolean | undefined> {
    if (!existsSync(this.#meta)) return false
    const locked = await isLocked(this.#meta)
    if (locked !== true) return locked
    // of a process that is not ours nothing is known
    return this.#process() === undefined ? undefined : true
  }

  async view(): Promise<ClusterView> {
    await using control = await connectDiskControl(this.#control, { timeout: answerTimeout })
    return remusView(await control.status({ timeout: answerTimeout }))
  }

  async start(): Promise<void> {
    const { node: program, commands, env, folder } = this.#place
    const { parameters, timeout } = this.#environment
    const {
      pair_file: pairFile = '',
      nbd = join(folder, 'nbd.sock'),
      export: name = 'disk',
      tls,
      dead_after,
    } = parameters
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // what an earlier life had said to the manager is not known any more
    rmSync(join(folder, 'score'), { force: true })
    const arbiter = join(folder, 'arbiter')
    writeFileSync(arbiter, arbiterText(program, join(commands, 'xl-cluster.cjs')), { mode: 0o700 })
    const args = [
      ...[join(commands, 'xl-remus.cjs'), 'serve', this.#disk, '--pair-file', pairFile, ...this.#peer()],
      ...['--nbd', nbd, '--control', this.#control, '--name', name, '--state-file', this.#state],
      ...['--arbiter', arbiter, ...(tls === undefined ? [] : ['--tls', tls])],
      ...(dead_after === undefined ? [] : ['--dead-after', dead_after]),
    ]
    const isReady = async () => existsSync(this.#state) && (await this.isServed()) === true
    await startProcess({ program, args, env, log: join(folder, 'log') }, isReady, timeout * 0.8)
  }

  async stop(): Promise<void> {
    const served = this.#process()
    if (served === undefined)
      throw new OcfFailure('genericError', `another process has the node of ${this.#disk}: end that one`)
    const isGone = async () => (await isLocked(this.#meta)) === false
    await stopProcess(served.pid, isGone, { timeout: this.#environment.timeout, hangs: served.hangs })
    rmSync(this.#state, { force: true })
  }

  async promote({ number, force }: { number: number; force: boolean }): Promise<void> {
    await this.#ask(async (control, limits) => {
      await control.promote({ number, force }, limits)
    })
  }

  async demote(): Promise<void> {
    // one that hangs does not answer; without it the node is no Primary any more, and what follows need not wait
    if (this.#process()?.hangs === true) await this.stop()
    else await this.#ask((control, limits) => control.demote({ force: true }, limits))
  }

  async #ask(
    question: (control: Awaited<ReturnType<typeof connectDiskControl>>, limits: { timeout: number }) => Promise<void>,
  ): Promise<void> {
    // whoever asked is told before its own time is up
    const limits = { timeout: this.#environment.timeout * 0.8 }
    await using control = await connectDiskControl(this.#control, limits)
    try {
      await question(control, limits)
    } catch (error) {
      if (!(error instanceof ProtocolDError)) throw error
      throw new OcfFailure('genericError', error.message, { cause: error })
    }
  }

  get #meta(): string {
    return `${this.#disk}.meta`
  }

  get #control(): string {
    return join(this.#place.folder, 'control.sock')
  }

  get #state(): string {
    return join(this.#place.folder, 'state')
  }

  /** The one that listens is the first. */
  #peer(): readonly string[] {
    const places = placesOf(this.#environment)
    const { node: own } = this.#environment
    const mine = places.findIndex(({ node }) => node === own)
    const [first] = places as [Place, Place]
    if (mine < 0) throw new OcfFailure('wrongArguments', `nodes does not name this node: ${own}`)
    return [mine === 0 ? '--listen' : '--connect', first.address]
  }

  /** The process that serves it, where it is one of ours. */
  #process(): ReadState | undefined {
    return processOf(this.#state, [this.#control])
  }
}

/** What asks the cluster for a node that would go on alone. */
const arbiterText = (node: string, command: string): string => `#!/bin/sh
exec '${node}' '${command}' arbiter "$@"
`
