import { checkFunction, checkLimits, checkObject, checkText, checkTimeout } from '../../check-argument.js'
import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { XenlightError } from '../../xenlight-error.js'
import { judge } from './judge.js'
import { judgeNotUp } from './judge-not-up.js'
import type { ProbeResult } from './probe-result.js'
import { type ProbeTarget, readTarget } from './probe-target.js'
import { readEvents } from './read-events.js'
import { readProtocol } from './read-protocol.js'
import { refused } from './refused.js'
import { isResourceName } from './resource-name.js'
import type { RunTool } from './run-tool.js'

export interface ProbeOptions extends Limits {
  run: RunTool
}

/** How long a tool may take where the caller says nothing, in milliseconds. */
const toolTimeout = 10_000
const outputBytes = 1_048_576

/**
 * Whether a device, or a resource's first volume (`drbd:RES`), can be put under Remus's checkpoints: what block-drbd-probe asks, of
 * DRBD 8.4 and 9. A tool that fails is an answer too, `unknown`. It believes drbdsetup, which asks the kernel, not the configuration.
 *
 * @param target `/dev/drbd0`, `/dev/drbd/by-res/r0/0` or `drbd:r0`
 */
export async function probeDrbd(target: string, options: ProbeOptions): Promise<ProbeResult> {
  checkText('target', target)
  checkObject('options', options)
  checkFunction('run', options.run)
  checkLimits(options)
  checkTimeout('timeout', options.timeout)
  const what = readTarget(target)
  if (what === undefined)
    return {
      outcome: 'not-drbd',
      why: `${printable(target)} is no DRBD device`,
      hint: 'name /dev/drbdN, /dev/drbd/by-res/RESOURCE/VOLUME or drbd:RESOURCE',
    }
  try {
    return await look(what, options)
  } catch (error) {
    if (!(error instanceof XenlightError)) throw error
    if (options.signal?.aborted) throw error
    const hint = hints[error.code] ?? 'look at what drbdsetup events2 --now says'
    return { outcome: 'unknown', why: `DRBD's tools did not answer: ${error.message}`, hint }
  }
}

async function look(what: ProbeTarget, { run, signal, timeout = toolTimeout }: ProbeOptions): Promise<ProbeResult> {
  const limits = { signal, timeout, outputBytes }
  const events = await run('drbdsetup', ['events2', '--now', '--statistics'], limits)
  if (events.status !== 0) return refused('drbdsetup events2', events.status, events.stderr, runIt('drbdsetup events2'))
  const list = readEvents(events.stdout, found =>
    'minor' in what
      ? found.minor === what.minor
      : found.resource === what.resource && (what.volume === undefined || found.volume === what.volume),
  )
  if (list === undefined) return unreadable('drbdsetup events2 --now --statistics', 'a list that ends with "exists -"')
  const { state } = list
  if (state === undefined) return await judgeNotUp(what, run, limits)
  // the kernel's word, and still nothing that may become an option
  if (!isResourceName(state.resource))
    return refused('drbdsetup events2', 0, `a resource named ${state.resource}`, runIt('drbdsetup events2'))
  const command = `drbdsetup show ${state.resource}`
  const show = await run('drbdsetup', ['show', state.resource], limits)
  if (show.status !== 0) return refused(command, show.status, show.stderr, runIt(command))
  const shown = readProtocol(show.stdout)
  return shown === undefined ? unreadable(command, 'the whole settings of a resource') : judge(state, shown.protocol)
}

const hints: Readonly<Record<string, string>> = {
  'tool-missing': 'install drbd-utils, and have /usr/sbin in PATH',
  'tool-failed': 'remove what keeps it from running: a limit (ulimit -n, ulimit -u), or rights that are missing',
}

const runIt = (command: string): string => `run ${command} yourself: it needs root, and the drbd module`

const unreadable = (command: string, wanted: string): ProbeResult => ({
  outcome: 'unknown',
  why: `${command} did not write ${wanted}`,
  hint: `run ${command} yourself, and see what it writes`,
})
