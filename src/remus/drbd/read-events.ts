import type { DrbdPeer, DrbdState } from './drbd-state.js'

/** One volume, by its names. */
export type DrbdVolume = Pick<DrbdState, 'resource' | 'volume' | 'minor'>

/**
 * Finds a volume in what `drbdsetup events2 --now` writes, of 8.4 and of 9: one `exists KIND key:value …` a line, and `exists -` at the
 * end. Lines of other kinds are passed over, and so are connections of resources that no line brought. Undefined where it is no such
 * list, or was cut: what is not in it may be there all the same. Takes as long as the text is, whatever is in it.
 */
export function readEvents(text: string, isWanted: (volume: DrbdVolume) => boolean): { state?: DrbdState } | undefined {
  const lines = readLines(text)
  if (lines === undefined) return undefined
  const device = lines.find(line => {
    const volume = volumeOf(line)
    return volume !== undefined && isWanted(volume)
  })
  if (device === undefined) return {}
  const found = volumeOf(device)!
  const own = lines.filter(({ values }) => values.get('name') === found.resource)
  const of = (kind: string) => own.filter(line => line.kind === kind)
  const disks = new Map(
    of('peer-device')
      .filter(({ values }) => volumeNumber(values) === found.volume)
      .map(({ values }) => [peerOf(values), values.get('peer-disk')]),
  )
  const peers = of('connection').map(
    ({ values }): DrbdPeer => ({
      connection: values.get('connection'),
      role: values.get('role'),
      disk: disks.get(peerOf(values)),
    }),
  )
  const [resource] = of('resource')
  return { state: { ...found, role: resource?.values.get('role'), disk: device.values.get('disk'), peers } }
}

type Values = ReadonlyMap<string, string>

interface Line {
  kind: string
  values: Values
}

function volumeOf({ kind, values }: Line): DrbdVolume | undefined {
  const resource = values.get('name')
  const minor = values.get('minor') ?? ''
  if (kind !== 'device' || resource === undefined || !/^[0-9]{1,7}$/.test(minor)) return undefined
  if (!Number.isInteger(volumeNumber(values))) return undefined
  return { resource, volume: volumeNumber(values), minor: Number(minor) }
}

const volumeNumber = (values: Values): number => Number(values.get('volume') ?? 0)

/** 9 numbers its peers; 8.4 has one, known by its addresses. */
const peerOf = (values: Values): string => ['peer-node-id', 'local', 'peer'].map(key => values.get(key) ?? '').join(' ')

/** All lines of a list, or none of what is not one from its first line to its end mark. */
function readLines(text: string): Line[] | undefined {
  const texts = text.split('\n').filter(line => line.trim() !== '')
  if (texts.at(-1)?.trim() !== 'exists -') return undefined
  const lines = texts.map(readLine).filter(line => line !== undefined)
  const isList =
    lines.length === texts.length && lines.every(line => line.kind !== 'device' || volumeOf(line) !== undefined)
  return isList ? lines : undefined
}

function readLine(text: string): Line | undefined {
  const [event, kind, ...words] = text.trim().split(/ +/)
  if (event !== 'exists' || kind === undefined) return undefined
  const pairs = words.flatMap((word): [string, string][] => {
    const colon = word.indexOf(':')
    return colon > 0 ? [[word.slice(0, colon), word.slice(colon + 1)]] : []
  })
  return { kind, values: new Map(pairs) }
}
