import { exitStatuses } from './exit-status.js'
import { options } from './option-table.js'
import { verbs } from './verbs.js'

/** What --help writes. */
export function helpText(): string {
  const doing = Object.entries(verbs).map(([name, { words, help }]) => row(`${name}${words}`, help))
  const given = options.map(({ name, short, takes, values, help }) => {
    const value = takes === undefined ? '' : ` ${values ? values.join('|') : takes}`
    return row(`${short ? `-${short}, ` : '    '}--${name}${value}`, help)
  })
  const ends = Object.values(exitStatuses).map(([status, meaning]) => `  ${String(status).padStart(3)}  ${meaning}`)
  return `Usage: xl-colo VERB [options]

Protects the disks of a guest by QEMU's COLO replication, over the QMP sockets of two QEMUs.

Verbs:
${doing.join('\n')}

Options:
${given.join('\n')}

SOCK is a unix socket's path, or HOST:PORT. A monitor serves one client at a time.

Exit status:
${ends.join('\n')}
Of several disks, status gives the worst: the highest number.

Example:
  xl-colo start --primary /run/a1,/run/a2 --secondary /run/b1,/run/b2 --listen 192.168.0.2:9000 --every 200ms
`
}

const width = 34

const row = (left: string, help: string): string =>
  left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${help}` : `  ${left.padEnd(width)}  ${help}`
