import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ResolvedDisk } from 'xenlight'
import type { DiskArgsOptions } from 'xenlight/dm-args'
import { announceGolden } from './golden.js'
import { projectRoot } from './project-root.js'

/** What QEMU is given for the disks of a domain, or why it is not started. */
export interface ArgvAnswer {
  /** 0, or the number of a refusal. */
  rc: number
  argv: string[]
  warnings: string[]
  /** Of a refusal: its name, and the reason where that is not in the log. */
  refused?: string
  /** Of a refusal: the errors that libxl logged. */
  log?: string[]
}

/** A case of golden/argv; its head says what the lines mean. */
export interface ArgvCase extends ArgvAnswer {
  /** File, line, guest, disks. */
  name: string
  type: NonNullable<DiskArgsOptions['domainType']>
  hdtype: 'ide' | 'ahci'
  colo: 'none' | 'primary' | 'secondary'
  stubdom: boolean
  dialect?: '4.7'
  disks: { spec: string; target: 'block' | 'file' | 'missing'; change?: Partial<ResolvedDisk> }[]
  physicalDevicePath?: string
  /** Of a departure: libxl's answer beside ours. */
  libxl?: ArgvAnswer
  why?: string
}

/** The cases of golden/argv/NAME. */
export function argvGolden(name: string): ArgvCase[] {
  const cases = parseArgvGolden(readFileSync(join(projectRoot, 'golden/argv', name), 'utf8'), `golden/argv/${name}`)
  announceGolden(`argv/${name}`, cases.length)
  return cases
}

/** @throws Error for a line that it does not know, and for a text without cases */
export function parseArgvGolden(text: string, file: string): ArgvCase[] {
  const cases: ArgvCase[] = []
  let inCase = false
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new Error(`${file}: the last line has no end`)
  for (const [index, line] of lines.entries()) {
    try {
      if (/\p{C}|\s$/u.test(line)) throw new Error('a control character, or a blank at the end')
      if (line === '') inCase = false
      else if (inCase) addLine(cases.at(-1)!, line)
      else if (line.startsWith('= ')) {
        inCase = true
        cases.push(caseOf(line.slice(2), `${file}:${index + 1}`))
      } else if (!line.startsWith('#')) throw new Error('not in a case')
    } catch (cause) {
      throw new Error(`${file}:${index + 1}: ${(cause as Error).message}: ${line}`, { cause })
    }
  }
  if (cases.length === 0) throw new Error(`${file} has no cases: what is compared with it would pass unseen`)
  for (const row of cases) row.name = [row.name, ...row.disks.map(({ spec }) => spec)].join(' | ')
  return cases
}

function caseOf(guest: string, where: string): ArgvCase {
  const found = /^(hvm|pvh|pv), (ide|ahci)(?:, colo (primary|secondary))?(, stubdom)?(?:, xen (4\.7))?$/.exec(guest)
  if (found === null) throw new Error('not a guest')
  const [, type, hdtype, colo = 'none', stubdom, dialect] = found
  const name = `${where} ${guest}`
  const row = { name, type, hdtype, colo, stubdom: stubdom !== undefined, ...(dialect && { dialect }) } as ArgvCase
  return { ...row, disks: [], ...nothing() }
}

const nothing = (): ArgvAnswer => ({ rc: 0, argv: [], warnings: [] })

function addLine(row: ArgvCase, line: string): void {
  const [, key, target, rest = ''] = /^([a-z]+)(?: \((block|file|missing)\))?: (.+)$/.exec(line) ?? []
  if ((key === 'disk') !== (target !== undefined)) throw new Error('not a line of a case')
  switch (key) {
    case 'disk':
      row.disks.push({ spec: unescaped(rest), target: target as 'file' })
      break
    case 'with':
      row.disks.at(-1)!.change = JSON.parse(rest)
      break
    case 'published':
      row.physicalDevicePath = unescaped(rest)
      break
    case 'libxl':
      row.libxl ??= nothing()
      if (rest !== 'nothing') addAnswer(row.libxl, rest)
      break
    case 'why':
      row.why = rest
      break
    default:
      addAnswer(row, line)
  }
}

const numbers = new Map([
  ['ERROR_FAIL', -3],
  ['ERROR_INVAL', -6],
  ['ERROR_DEVICE_EXISTS', -17],
])

function addAnswer(answer: ArgvAnswer, line: string): void {
  const [, key = '', rest = ''] = /^(warning:|refused:|log:|-[a-z]+) (.+)$/.exec(line) ?? []
  const value = unescaped(rest)
  if (key.startsWith('-')) answer.argv.push(key, value)
  else if (key === 'warning:') answer.warnings.push(value)
  else if (key === 'log:') answer.log = [...(answer.log ?? []), value]
  else {
    const rc = key === 'refused:' ? numbers.get(value.replace(/ .*/s, '')) : undefined
    if (rc === undefined || answer.rc !== 0) throw new Error('not a line of a case')
    Object.assign(answer, { rc, refused: value })
  }
}

/** Throws for a backslash that is not \\ or \n or \uXXXX. */
const unescaped = (text: string): string =>
  text.replace(/\\(n|\\|u([0-9a-f]{4}))?/g, (_, what?: string, unit?: string) => {
    if (what === undefined) throw new Error('a backslash is written \\\\, a newline \\n, others \\uXXXX')
    if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16))
    return what === 'n' ? '\n' : what
  })
