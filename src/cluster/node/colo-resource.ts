import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LinkError } from '../../link/link-error.js'
import { connectSocket } from '../../link/node/socket.js'
import { printable } from '../../printable.js'
import type { Resource } from '../agent.js'
import type { ClusterView } from '../cluster-view.js'
import { GuestControl } from '../colo/guest-control.js'
import { readPairName } from '../colo/node/guest-files.js'
import { foldersOf, guestPlaces } from '../colo/node/guest-places.js'
import { qemusOf } from '../colo/node/guest-qemu.js'
import { coloPlaces } from '../colo-agent.js'
import { everyOf } from '../colo-parameters.js'
import { coloView } from '../colo-view.js'
import type { OcfEnvironment } from '../ocf-environment.js'
import { OcfFailure } from '../ocf-failure.js'
import { isLocked } from './is-locked.js'
import { processOf, type ReadState } from './read-state.js'
import type { RunPlace } from './run-place.js'
import { startProcess, stopProcess } from './served-process.js'

/** How long the process may take to answer, in milliseconds. */
const answerTimeout = 5000
/** How often it looks whether QEMU has ended, in milliseconds. */
const lookInterval = 50

/** A node of a guest under COLO: `xl-cluster serve`, and its QEMU. */
export class ColoResource implements Resource {
  readonly #environment: OcfEnvironment
  readonly #place: RunPlace
  readonly #files: ReturnType<typeof guestPlaces>

  constructor(environment: OcfEnvironment, place: RunPlace) {
    this.#environment = environment
    this.#place = place
    this.#files = guestPlaces(place.folder)
  }

  async validate(): Promise<void> {
    const { qemu = '', pair_file: pairFile = '' } = this.#environment.parameters
    const { records, overlays } = foldersOf(this.#environment)
    coloPlaces(this.#environment)
    everyOf(this.#environment)
    for (const path of [qemu, pairFile, records, overlays])
      if (!path.startsWith('/')) throw new OcfFailure('notConfigured', `${printable(path)} is no absolute path`)
    try {
      accessSync(qemu, constants.X_OK)
      if (!statSync(qemu).isFile()) throw new Error('no file')
    } catch (error) {
      throw new OcfFailure('notInstalled', `the program that starts QEMU is not on this node: ${printable(qemu)}`, {
        cause: error,
      })
    }
    try {
      readPairName(pairFile)
    } catch (error) {
      throw new OcfFailure('wrongArguments', printable((error as Error).message), { cause: error })
    }
  }

  async isServed(): Promise<boolean | undefined> {
    if (!existsSync(this.#files.lockFile)) return false
    const locked = await isLocked(this.#files.lockFile)
    if (locked !== true) return locked
    return this.#pids().length > 0 ? true : undefined
  }

  async view(): Promise<ClusterView> {
    await using control = await this.#control(answerTimeout)
    return coloView(await control.status({ timeout: answerTimeout }))
  }

  async start(): Promise<void> {
    const { node: program, commands, env, folder } = this.#place
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // what an earlier life had said to the manager is not known any more
    for (const file of [join(folder, 'score'), this.#files.stateFile]) rmSync(file, { force: true })
    const args = [join(commands, 'xl-cluster.cjs'), 'serve', folder]
    const isReady = async () => existsSync(this.#files.stateFile) && (await this.isServed()) === true
    const log = this.#files.logFile
    await startProcess({ program, args, env, log }, isReady, this.#environment.timeout * 0.8)
  }

  async stop(): Promise<void> {
    const { timeout } = this.#environment
    const { lockFile, stateFile } = this.#files
    const served = this.#process()
    const isGone = async () => this.#process() === undefined
    if (served !== undefined) await stopProcess(served.pid, isGone, { timeout: timeout * 0.7, hangs: served.hangs })
    for (const end = performance.now() + timeout * 0.2; performance.now() < end; await pause(lookInterval)) {
      if ((await isLocked(lockFile)) === false) return rmSync(stateFile, { force: true })
      // one that is left alone is nobody's
      for (const left of qemusOf(this.#place.folder)) kill(left)
    }
    throw new OcfFailure('genericError', `another process has ${lockFile}: end that one`)
  }

  async promote({ number, force }: { number: number; force: boolean }): Promise<void> {
    await this.#ask((control, limits) => control.promote(number, force, limits))
  }

  async demote(): Promise<void> {
    // one that hangs does not answer; without it the guest runs nowhere, and what follows need not wait
    if (this.#process()?.hangs === true) await this.stop()
    else await this.#ask((control, limits) => control.demote(limits))
  }

  async #ask(question: (control: GuestControl, limits: { timeout: number }) => Promise<void>): Promise<void> {
    // whoever asked is told before its own time is up
    const limits = { timeout: this.#environment.timeout * 0.8 }
    await using control = await this.#control(limits.timeout)
    try {
      await question(control, limits)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      throw new OcfFailure('genericError', error.message, { cause: error })
    }
  }

  async #control(timeout: number): Promise<GuestControl> {
    const path = this.#files.controlSocket
    return new GuestControl(await connectSocket({ path }, AbortSignal.timeout(Math.ceil(timeout))), path)
  }

  /** The process that keeps the guest, where it is one of ours. */
  #process(): ReadState | undefined {
    return processOf(this.#files.stateFile, ['serve', this.#place.folder])
  }

  /** That one, and the guest's QEMUs. */
  #pids(): number[] {
    const served = this.#process()
    return [...(served === undefined ? [] : [served.pid]), ...qemusOf(this.#place.folder)]
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}
