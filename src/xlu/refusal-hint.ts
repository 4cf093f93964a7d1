import { fromByteString } from '../byte-text.js'
import type { Parameter } from './disk-grammar.js'
import { diskFlags, diskKeys, diskPrefixes, flagFields } from './disk-keys.js'
import { keyBefore } from './key-before.js'
import { nearest } from './nearest.js'
import type { DiskField, Refusal } from './refusal.js'

interface Hint {
  hint?: string
  /** Says it better than libxlutil's words. */
  message?: string
  /** The text that is meant, where it is more than what libxlutil shows. */
  wider?: { start: number; end: number }
  /** The field that is meant, where libxlutil's words do not tell. */
  field?: DiskField
}

/** What to write instead of what was refused. */
export function hintFor(refusal: Refusal, text: string, parameters: readonly Parameter[]): Hint {
  switch (refusal.code) {
    case 'unknown-value':
      return { hint: valueHint(keyOf(refusal.field), text.slice(refusal.start, refusal.end)) }
    case 'unknown-parameter':
      return unknownKey(text, refusal.at)
    case 'bad-syntax':
      return badSyntax(text, refusal, parameters)
    case 'unknown-prefix':
      return { hint: prefixHint(text.slice(refusal.start, refusal.end)) }
    case 'respecified':
      return { hint: respecifiedHint(refusal, text, parameters) }
    case 'too-many-positional':
      return { hint: 'the positional parameters are target,format,vdev,access; name any other as key=value' }
    case 'no-vdev':
      return { hint: swallowed(parameters) ?? 'name the device that the guest sees, as in vdev=xvda' }
    case 'no-target':
      return { hint: 'add target=PATH, or devtype=cdrom for an empty drive' }
  }
}

/** A word that is no parameter is read as the target, and the real one is then a second. */
function respecifiedHint({ field }: Refusal, text: string, parameters: readonly Parameter[]): string {
  const [first] = parameters
  const mistaken = field === 'pdevPath' && first?.key === 'positional' && /^[a-z][-a-z0-9_]*$/.test(first.value)
  if (!mistaken) return 'give it once'
  const near = nearest(first.value, diskFlags)
  const instead = near === undefined ? 'remove it, or name what it stands for' : `did you mean ${near}?`
  return text.startsWith(first.value)
    ? `${first.value} is no parameter, so it was read as the target: ${instead}`
    : 'give it once'
}

/** What was meant as a parameter, and became part of the target. */
function swallowed(parameters: readonly Parameter[]): string | undefined {
  const target = parameters.find(({ key }) => key === 'target')
  const [, key] = /,[ \t]*([a-z][-a-z]*)=/.exec(String(target?.value ?? '')) ?? []
  return key !== undefined && diskKeys.has(key)
    ? `target= takes the rest of the line: put ${key}= before it`
    : undefined
}

const keyOf = (wanted: DiskField | undefined): string =>
  [...diskKeys].find(([, { field }]) => field === wanted)?.[0] ?? ''

function valueHint(key: string, value: string): string {
  const { values, takes } = diskKeys.get(key) ?? {}
  if (value.endsWith('\r')) return 'remove the carriage return: the line ended in CR LF'
  if (!values) return `${key} takes ${takes}`
  const near = nearest(value, values)
  const list = `${key} takes ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
  return near === undefined ? list : `write ${near} (${list})`
}

/** A key that libxlutil has no rule for, and the whole of the parameter that it showed one character of. */
function unknownKey(text: string, at: number): Hint {
  const equals = text.indexOf('=', at)
  const comma = text.indexOf(',', equals)
  const key = text.slice(at, equals)
  const end = comma < 0 ? text.length : comma
  return { ...keyHint(key, text.slice(equals + 1, end)), wider: { start: at, end } }
}

const opposites: Readonly<Record<string, string>> = {
  discard: 'no-discard',
  'no-discard': 'discard',
  colo: 'no-colo',
  'no-colo': 'colo',
  trusted: 'untrusted',
  untrusted: 'trusted',
}

function keyHint(key: string, value: string): Hint {
  const flag = diskFlags.find(name => name === key)
  if (flag !== undefined) {
    const hint = /^(1|y|yes|on|true)?$/i.test(value)
      ? `write ${key} alone`
      : /^(0|n|no|off|false)$/i.test(value)
        ? opposites[key]
          ? `write ${opposites[key]}`
          : `leave ${key} out`
        : `write ${key} alone, or leave it out`
    return { message: `${key} takes no value`, hint, field: flagFields[flag] }
  }
  const message = `unknown parameter ${JSON.stringify(fromByteString(key))}`
  const near = nearest(key, [...diskKeys.keys(), ...diskFlags])
  if (near === undefined) return { message, hint: `the keys are ${[...diskKeys.keys()].join(', ')}` }
  return { message, hint: diskKeys.has(near) ? `did you mean ${near}=?` : `did you mean ${near}, without a value?` }
}

function badSyntax(text: string, { at }: Refusal, parameters: readonly Parameter[]): Hint {
  const before = keyBefore(parameters, at)
  if (before === undefined) {
    if (text[at + 1] === '\n') return { hint: 'remove the "=" at the end of the line (libxlutil dies of it)' }
    return { hint: 'a parameter is key=value, with a key before the "="' }
  }
  const key = text.slice(before.at, at)
  const comma = text.indexOf(',', at)
  const wider = { start: before.at, end: comma < 0 ? text.length : comma }
  const named = key.trim()
  if (/[ \t\n]/.test(named)) {
    const separate = fromByteString(named).split(/[ \t\n]+/)
    return { wider, message: 'parameters are separated by commas', hint: `write ${separate.join(',')}=...` }
  }
  const field = diskKeys.get(named)?.field
  if (field !== undefined && key !== named) {
    return { wider, field, message: `blank before the "=" of ${named}`, hint: `write ${named}=...` }
  }
  if (field !== undefined) {
    return { wider, field, message: `bad value for ${key}`, hint: valueHint(key, text.slice(at + 1, wider.end)) }
  }
  return { ...keyHint(key, text.slice(at + 1, wider.end)), wider }
}

function prefixHint(prefix: string): string {
  const name = prefix.slice(0, -1)
  if ((diskPrefixes as readonly string[]).includes(name)) return `remove the line end behind ${prefix}`
  const near = nearest(name, diskPrefixes)
  const hint = 'a target with a ":" is written target=PATH'
  return near === undefined ? hint : `did you mean ${near}:? Else, ${hint}`
}
