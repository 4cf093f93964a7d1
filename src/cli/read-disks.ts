import { parseConfigDisks } from '../xlu/config-disks.js'
import { safeParseConfig } from '../xlu/parse-config.js'
import { safeParseDisk } from '../xlu/parse-disk.js'
import type { DisksCommand } from './command.js'
import type { Io } from './io.js'
import type { DisksRead } from './placed-disk.js'
import { readText } from './read-text.js'

export function readDisks({ source, strict }: Pick<DisksCommand, 'source' | 'strict'>, io: Io): DisksRead {
  return source.kind === 'words' ? readWords(source.words, strict) : readConfig(source.path, strict, io)
}

function readWords(words: readonly string[], strict: boolean): DisksRead {
  const result = safeParseDisk(words, { strict })
  const { diagnostics } = result
  const spec = words.join(' ')
  const disks = result.success ? [{ disk: result.disk, at: { spec, start: 0, end: spec.length } }] : undefined
  return { disks, diagnostics }
}

function readConfig(path: string, strict: boolean, io: Io): DisksRead {
  const text = readText(path, io)
  const file = { filename: path, text }
  const parsed = safeParseConfig(text, file)
  if (!parsed.success) return { disks: undefined, diagnostics: parsed.diagnostics, file }
  const { config } = parsed
  const result = parseConfigDisks(config, { strict })
  const diagnostics = [...parsed.diagnostics, ...result.diagnostics]
  if (!result.success) return { disks: undefined, diagnostics, file, config }
  const disks = result.disks.map(({ disk, place: { start, end } }) => ({ disk, at: { spec: text, start, end } }))
  return { disks, diagnostics, file, config }
}
