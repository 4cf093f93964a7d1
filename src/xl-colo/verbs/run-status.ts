import { setTimeout as delay } from 'node:timers/promises'
import { localFreeSpace } from '../../colo/node/free-space.js'
import { type PairStatus, pairStatus } from '../../colo/pair-status.js'
import type { Side } from '../../colo/side.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { fullScreen } from '../../command-line/redrawn.js'
import { printable } from '../../printable.js'
import { XenlightError } from '../../xenlight-error.js'
import type { StatusCommand } from '../command.js'
import { domainSide } from '../domain-side.js'
import { exitStatus, statusOf } from '../exit-status.js'
import { drawGraph } from '../graph/draw-graph.js'
import { qemuGraph } from '../graph/qemu-graph.js'
import { statusLines } from '../output/status-lines.js'
import { statusJson } from '../output/to-json.js'
import { openRecords } from '../records.js'
import { Refusal } from '../refusal.js'
import { reachSide } from '../sides.js'
import { whichDisks } from '../which-disks.js'

/** How often --watch looks, in milliseconds. */
const interval = 1000

/** Says what is known of each disk; the exit status is that of the worst. */
export async function runStatus(command: StatusCommand, io: Io): Promise<number> {
  using interruption = interruptible(io)
  const { signal } = interruption
  const isLive = command.watch && !command.json && io.isTerminal(1) && io.env.TERM !== 'dumb'
  for (;;) {
    const { status, lines } = await look(command, io, signal).catch(error => {
      if (interruption.status !== undefined) return { status: interruption.status, lines: [] }
      if (command.watch) return unseen(error, command.json)
      throw error
    })
    if (isLive) io.write(1, fullScreen(lines, io.size()))
    else if (lines.length > 0) io.write(1, lines.map(line => `${line}\n`).join(''))
    if (!command.watch || signal.aborted) return status
    await delay(interval, undefined, { signal }).catch(() => {})
    if (signal.aborted) return status
  }
}

/** Who watches waits for what is not there yet. */
function unseen(error: unknown, json: boolean): { status: number; lines: readonly string[] } {
  if (!(error instanceof XenlightError || error instanceof Refusal)) throw error
  const { message } = error
  const status = exitStatus(error instanceof Refusal ? error.status : 'failed')
  return { status, lines: [json ? jsonLine({ exit: status, error: message }).trimEnd() : printable(message)] }
}

/** Connects anew each time: a monitor serves one client, and others may need it. */
async function look(
  command: StatusCommand,
  io: Io,
  signal: AbortSignal,
): Promise<{ status: number; lines: readonly string[] }> {
  const { disks: named, timeout, records: folders, ...given } = command.ends
  const records = openRecords(folders, io)
  const limits = { timeout, signal }
  const domain = command.domain && (await domainSide(command.domain, { ...given, disks: named }, limits))
  const ends = { ...given, ...domain?.ends }
  await using primary = ends.primary && (await reachSide(ends.primary, { ...limits, records: records.primary }))
  await using secondary = ends.secondary && (await reachSide(ends.secondary, { ...limits, records: records.secondary }))
  const sides = [primary, secondary].flatMap(open => open?.side ?? [])
  const errors = [primary, secondary].flatMap(open => open?.error ?? [])
  if (errors.length === sides.length) throw errors[0]
  const disks = await whichDisks(domain?.disks ?? named, sides, limits)
  const both = { primary: primary?.side, secondary: secondary?.side }
  const status = await pairStatus({ ...both, disks, freeSpace: localFreeSpace, ...limits })
  const problems = domain?.problems ?? []
  // a disk that cannot be protected is written on one side only
  const kinds = [...status.disks.map(({ state }) => state.kind), ...problems.map(() => 'unprotected' as const)]
  const exit = statusOf(kinds, status.splitBrain)
  if (command.json) return { status: exit, lines: [jsonLine(statusJson(status, { exit, problems })).trimEnd()] }
  const graphs = command.graph || command.watch ? await graphLines(both, status, limits) : []
  return { status: exit, lines: [...statusLines(status, problems), ...graphs] }
}

async function graphLines(
  sides: { primary: Side | undefined; secondary: Side | undefined },
  status: PairStatus,
  limits: { timeout: number; signal: AbortSignal },
): Promise<string[]> {
  const lines: string[] = []
  for (const name of ['primary', 'secondary'] as const) {
    const side = sides[name]
    if (side === undefined || status[name].sight === undefined) continue
    lines.push('', `${name}'s block graph:`, ...drawGraph(await qemuGraph(side.qmp, limits)))
  }
  return lines
}
