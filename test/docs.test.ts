import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkpointErrorCodes } from '#xenlight/checkpoint/checkpoint-error.js'
import { coloErrorCodes } from '#xenlight/colo/colo-error.js'
import { leaseErrorCodes } from '#xenlight/lease/lease-error.js'
import { rcByReason } from '#xenlight/libxl/libxl-reason.js'
import { protocolDErrorCodes } from '#xenlight/protocol-d/protocol-d-error.js'
import { replicationErrorCodes } from '#xenlight/replication/replication-error.js'
import { configValueErrorCodes } from '#xenlight/xlu/config.js'
import { diagnosticCodes } from '#xenlight/xlu/diagnostic-code.js'
import { projectRoot } from './support/project-root.js'

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')
/** The section under a heading, up to the next of its level or above. */
const section = (text: string, heading: string): string => {
  const [hashes = ''] = /^#+/.exec(heading) ?? []
  const start = text.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`no ${heading}`)
  const body = text.slice(start + heading.length + 2)
  const end = body.search(new RegExp(`^#{1,${hashes.length}} `, 'm'))
  return end < 0 ? body : body.slice(0, end)
}
/** The first cell of each row of the tables. */
const rows = (text: string): string[] => [...text.matchAll(/^\| `([\w-]+)`/gm)].map(([, code]) => code!)

t.test('docs/errors.md has every reason of libxl, once, with its number', async t => {
  const libxl = section(read('docs/errors.md'), '## LibxlError')
  const told = [...libxl.matchAll(/^\| `([\w-]+)` \| (-\d+) \| \S.* \| \S.* \|$/gm)].map(([, reason, rc]) => [
    reason,
    Number(rc),
  ])
  t.strictSame(told, Object.entries(rcByReason))
})

t.test('every reason is given somewhere, and every code of COLO', async t => {
  const files = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter(file => file.endsWith('.ts') && !/(?:libxl-reason|colo-error)\.ts$/.test(file))
  const source = sources.map(file => read(join('src', file))).join('\n')
  t.strictSame(
    [...Object.keys(rcByReason), ...coloErrorCodes].filter(reason => !source.includes(`'${reason}'`)),
    [],
  )
})

t.test('docs/errors.md has the codes of the other errors', async t => {
  const text = read('docs/errors.md')
  t.strictSame(new Set(rows(section(text, '## DiskFormatError'))), new Set(diagnosticCodes.format))
  t.strictSame(new Set(rows(section(text, '## ConfigValueError'))), new Set(configValueErrorCodes))
  t.strictSame(new Set(rows(section(text, '## CheckpointError'))), new Set(checkpointErrorCodes))
  t.strictSame(rows(section(text, '## ColoError')), [...coloErrorCodes])
  t.strictSame(rows(section(text, '## ProtocolDError')), [...protocolDErrorCodes])
  t.strictSame(rows(section(text, '## ReplicationError')), [...replicationErrorCodes])
  t.strictSame(rows(section(text, '## LeaseError')), [...leaseErrorCodes])
})

t.test('docs/diagnostics.md has every code of a diagnostic, and no other', async t => {
  const text = read('docs/diagnostics.md')
  const all: readonly string[] = Object.values(diagnosticCodes).flat()
  const files = section(text, '## Configuration files')
  const named = [...rows(text), ...[...files.matchAll(/`(config-[\w-]+)`/g)].map(([, code]) => code!)]
  const libxl = named.filter(code => code.startsWith('ERROR_'))
  t.strictSame(
    [...new Set(named)].filter(code => !libxl.includes(code) && !all.includes(code)),
    [],
    'none that is not given',
  )
  t.strictSame(
    all.filter(code => !text.includes(`\`${code}\``)),
    [],
    'none is left out',
  )
})
