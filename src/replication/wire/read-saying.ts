import { printable } from '../../printable.js'
import { isName } from '../name.js'
import type { FrameHeader } from './frame-header.js'
import { type Attach, type Message, type VolumeInfo, type VolumeReport, volumesAtMost } from './message.js'
import type { Kind } from './message-kinds.js'

type Fields = Readonly<Record<string, unknown>>

/** The longest text that is taken, in characters. */
const textAtMost = 1000
/** How many volumes a host reports. */
const reportsAtMost = 4096
/** How deep arrays and objects may stand in each other, where anything may be said. */
const depthAtMost = 16

/** Reads what a peer says in JSON; undefined where it is not what that kind has to say. Nothing else of it is kept. */
export function readSaying(kind: Kind, { channel, number, time }: FrameHeader, value: unknown): Message | undefined {
  if (!isObject(value)) return undefined
  const { version, agent, hub, code, message, group, reason, name, execute, arguments: given, result } = value
  const place = { channel, sequence: number, time }
  switch (kind) {
    case 'hello':
      return isCount(version) && isNamed(agent) ? { kind, version, agent } : undefined
    case 'welcome':
      return isCount(version) && isNamed(hub) ? { kind, version, hub } : undefined
    case 'goodbye':
      return isCode(code) && isText(message) ? { kind, code, message: printable(message) } : undefined
    case 'refused':
    case 'stopped':
      return isCode(code) && isText(message) ? { kind, channel, code, message: printable(message) } : undefined
    case 'failed':
      if (!isCode(code) || !isText(message)) return undefined
      return { kind, channel, request: number, code, message: printable(message) }
    case 'attach':
      return readAttach(channel, value)
    case 'attached':
      return readAttached(channel, value)
    case 'ready':
      return isNamed(group) ? { kind, group } : undefined
    case 'report':
      return readReport(value)
    case 'unsettled':
      return isText(reason) ? { kind, ...place, reason: printable(reason) } : undefined
    case 'point':
      return isNamed(name) ? { kind, ...place, name } : undefined
    case 'command':
      if (!isNamed(execute) || !isShallow(given)) return undefined
      return { kind, channel, request: number, execute, arguments: given }
    case 'done':
      return isShallow(result) ? { kind, channel, request: number, result } : undefined
    default:
      return undefined
  }
}

function readAttach(channel: number, { group, epoch, stream, oldest, previous, volumes }: Fields): Message | undefined {
  if (!isNamed(group) || !isCount(epoch) || !isUuid(stream) || !isCount(oldest) || oldest === 0) return undefined
  const before = previous === undefined ? undefined : readPrevious(previous)
  if (before === undefined && previous !== undefined) return undefined
  if (!Array.isArray(volumes) || volumes.length > volumesAtMost) return undefined
  const read: VolumeInfo[] = []
  for (const value of volumes) {
    const volume = readVolume(value)
    if (volume === undefined) return undefined
    read.push(volume)
  }
  const areOnce = [...new Set(read.map(({ number }) => number)), ...new Set(read.map(({ name }) => name))]
  if (areOnce.length !== 2 * read.length) return undefined
  const said = { kind: 'attach' as const, channel, group, epoch, stream, oldest, volumes: read }
  return before === undefined ? said : { ...said, previous: before }
}

function readPrevious(value: unknown): Attach['previous'] {
  if (!isObject(value)) return undefined
  const { replica, stream, sequence } = value
  return isUuid(replica) && isUuid(stream) && isCount(sequence) ? { replica, stream, sequence } : undefined
}

function readVolume(value: unknown): VolumeInfo | undefined {
  if (!isObject(value)) return undefined
  const { number, name, size } = value
  return isCount(number) && number <= 255 && isNamed(name) && isCount(size) ? { number, name, size } : undefined
}

function readAttached(channel: number, { epoch, replica, received, holds, window }: Fields): Message | undefined {
  if (!isCount(epoch) || !isUuid(replica) || typeof holds !== 'boolean' || !isCount(window)) return undefined
  if (received !== undefined && !isCount(received)) return undefined
  const said = { kind: 'attached' as const, channel, epoch, replica, holds, window }
  return received === undefined ? said : { ...said, received }
}

function readReport({ volumes }: Fields): Message | undefined {
  if (!Array.isArray(volumes) || volumes.length > reportsAtMost) return undefined
  return volumes.every(isReport) ? { kind: 'report', volumes } : undefined
}

function isReport(value: unknown): value is VolumeReport {
  if (!isObject(value)) return false
  const { group, volume, size, state } = value
  return isNamed(group) && isNamed(volume) && (size === undefined || isCount(size)) && isText(state) && isShallow(value)
}

/** Whether anybody can go through it without regard to its depth. */
function isShallow(value: unknown, left = depthAtMost): boolean {
  if (typeof value !== 'object' || value === null) return true
  return left > 0 && Object.values(value).every(one => isShallow(one, left - 1))
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= textAtMost
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isNamed = (value: unknown): value is string => typeof value === 'string' && isName(value)
const isCode = (value: unknown): value is string => typeof value === 'string' && /^[a-z][a-z-]{0,31}$/.test(value)
const isUuid = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
