import type { DeviceDisk } from '../device-disk.js'
import { jsonMembers } from '../json-members.js'
import { LibxlError } from '../libxl-error.js'
import { toLibxlJson } from '../to-libxl-json.js'
import { elementsAt, valueAt } from './json-places.js'

/** What stands before the disks in libxl's order. */
const before = ['c_info', 'b_info']
const memberIndent = '\n    '
const elementIndent = '\n        '

/**
 * A domain's configuration with a disk: in the place of the one of the same name, else as the last of its disks
 * (`device_add_domain_config`). All else stays as it is, to the byte.
 *
 * @throws DiskJsonError for a text that is not JSON; LibxlError ERROR_FAIL for one that is no configuration
 */
export function configWithDisk(text: string, disk: DeviceDisk): string {
  const { members } = jsonMembers(text)
  const open = text.indexOf('{')
  if (!/^\s*\{/.test(text))
    throw new LibxlError('configuration-invalid', "the domain's configuration is no JSON object")
  const disks = members.get('disks')
  if (disks !== undefined) return withDiskIn(text, disks.offset, disk)
  const list = `"disks": ${listOf(disk)}`
  const last = before.flatMap(name => members.get(name) ?? []).at(-1)
  if (last !== undefined) return insert(text, valueAt(text, last.offset).end, `,${memberIndent}${list}`)
  return insert(text, open + 1, memberIndent + list + (members.size > 0 ? ',' : '\n'))
}

function withDiskIn(text: string, start: number, disk: DeviceDisk): string {
  if (text[start] !== '[')
    throw new LibxlError('configuration-invalid', `"disks" of the domain's configuration is no list`)
  const elements = elementsAt(text, start)
  const [first] = elements
  const last = elements.at(-1)
  if (first === undefined || last === undefined) return replace(text, valueAt(text, start), listOf(disk))
  const gap = text.slice(start + 1, first.start)
  const json = elementOf(disk, gap)
  const same = elements.findLast(({ start }) => vdevAt(text, start) === disk.vdev)
  return same === undefined ? insert(text, last.end, `,${gap}${json}`) : replace(text, same, json)
}

function vdevAt(text: string, start: number): string | undefined {
  const vdev = text[start] === '{' ? jsonMembers(text.slice(start)).members.get('vdev') : undefined
  return vdev?.type === 'string' ? vdev.text : undefined
}

const listOf = (disk: DeviceDisk): string => `[${elementIndent}${elementOf(disk, elementIndent)}${memberIndent}]`

/** Each line but the first as far in as the first one will be. */
const elementOf = (disk: DeviceDisk, gap: string): string =>
  toLibxlJson(disk)
    .trimEnd()
    .replaceAll('\n', `\n${/[^\n]*$/.exec(gap)?.[0]}`)

const insert = (text: string, at: number, added: string): string => text.slice(0, at) + added + text.slice(at)

const replace = (text: string, { start, end }: { start: number; end: number }, by: string): string =>
  text.slice(0, start) + by + text.slice(end)
