import type { Qemu } from '../../real/qemu.js'

/** All that QEMU tells of its disks, except for the names of files, of its own nodes, and of exports. */
export async function shapeOf(qemu: Qemu, exports: readonly (string | undefined)[]): Promise<string> {
  const ids = new Map(exports.flatMap((id, index) => (id === undefined ? [] : [[id, `export ${index}`]])))
  const hidden = (key: string, value: unknown): unknown => {
    if (key === 'actual-size') return undefined
    if (typeof value !== 'string') return value
    if (fileKeys.has(key)) return ''
    return value.startsWith('#block') ? '#block' : (ids.get(value) ?? value)
  }
  const [block, nodes, tree] = await Promise.all([
    qemu.qmp('query-block'),
    qemu.qmp('query-named-block-nodes', { flat: true }),
    qemu.monitor('info qtree'),
  ])
  const properties = tree.replace(/"([^"]*)"/g, (_, value) => `"${hidden('', value)}"`)
  return JSON.stringify([block, nodes, properties.split('\r\n')], hidden, 1)
}

const fileKeys = new Set(['file', 'filename', 'backing-filename', 'full-backing-filename', 'backing_file'])

/** What is in one only. */
export function difference(expected: string, found: string): string {
  const without = (text: string, other: string) => {
    const known = new Set(other.split('\n'))
    return text.split('\n').filter(line => !known.has(line))
  }
  const lines = [...without(expected, found).map(line => `no ${line.trim()}`), ...without(found, expected)]
  return lines
    .slice(0, 20)
    .map(line => line.trim())
    .join(' ')
}
