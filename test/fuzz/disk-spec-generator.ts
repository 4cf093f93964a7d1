import { createRandom, type Random } from '../support/random.js'
import * as words from './disk-words.js'

export interface GeneratorOptions {
  /** Also trusted, untrusted and grant_usage, which Debian's libxlutil 4.17 reads otherwise than Xen's master. */
  master?: boolean | undefined
}

/**
 * Disk specs without end, each the list of argument words that make up one disk; the seed decides them all.
 * A character is a byte, never NUL.
 */
export function* generateDiskSpecs(
  seed: number,
  { master = false }: GeneratorOptions = {},
): Generator<string[], never> {
  const random = createRandom(seed)
  const flags = master ? [...words.flags, ...words.masterOnlyParameters] : words.flags
  for (;;) {
    const kind = random.int(100)
    let spec: string
    if (kind < 35) spec = usualSpec(random, flags)
    else if (kind < 60) spec = freeSpec(random, flags)
    else if (kind < 80) spec = mutate(random, usualSpec(random, flags))
    else if (kind < 90) spec = tokenSoup(random, flags)
    else spec = byteSoup(random)
    yield splitIntoWords(random, spec.slice(0, longest))
  }
}

/** From 16,384 bytes on a token overflows a buffer of libxlutil's scanner, and a token may be all of a word. */
const longest = 16_000

/** What a user means to write: each thing once, positional or by its key; mostly right. */
function usualSpec(random: Random, flags: readonly string[]): string {
  const positional: string[] = []
  const named: string[] = []
  const target = random.pick(words.targets)
  const targetLast = random.chance(0.3)
  if (!targetLast) {
    positional.push(prefixChain(random) + target)
    if (random.chance(0.8)) positional.push(random.chance(0.5) ? '' : value(random, 'format'))
    if (positional.length === 2) positional.push(positionalVdev(random))
    if (positional.length === 3 && random.chance(0.6)) positional.push(value(random, 'access'))
  }
  if (positional.length < 3) named.push(`vdev=${value(random, 'vdev')}`)
  const unused = keysWithValues.filter(key => key !== 'vdev' && key !== 'target')
  for (let extra = random.int(5); extra > 0; extra--) {
    const [key] = unused.splice(random.int(unused.length), 1)
    named.splice(random.int(named.length + 1), 0, random.chance(0.3) ? random.pick(flags) : keyed(random, key!))
  }
  const parameters = random.chance(0.1) ? [...named, ...positional] : [...positional, ...named]
  if (targetLast) parameters.push(`target=${target}`)
  return join(random, parameters)
}

/** Parameters of every kind in any order, given again and again. */
function freeSpec(random: Random, flags: readonly string[]): string {
  return join(
    random,
    Array.from({ length: 1 + random.int(8) }, () => anyParameter(random, flags)),
  )
}

function anyParameter(random: Random, flags: readonly string[]): string {
  switch (random.int(8)) {
    case 0:
      return random.pick(flags)
    case 1:
      return prefixChain(random) + random.pick(words.targets)
    case 2:
      return positionalVdev(random)
    case 3:
      return value(random, 'format')
    case 4:
      return `${random.pick(words.names)}=${anyValue(random)}`
    case 5:
      return anyValue(random)
    default:
      return keyed(random, random.pick(keysWithValues))
  }
}

const keysWithValues = [...Object.keys(words.values), 'colo-port', 'target']

const keyed = (random: Random, key: string) => `${key}=${value(random, key)}`

function value(random: Random, key: string): string {
  if (key === 'colo-port') return random.chance(0.5) ? '9000' : random.pick(words.coloPorts)
  const known = words.values[key]
  if (!known) return random.pick(words.targets)
  return random.pick(random.chance(0.95) ? known.good : known.bad)
}

const positionalVdev = (random: Random) => random.pick(random.chance(0.8) ? words.vdevs : words.vdevsWithType)

function anyValue(random: Random): string {
  const kind = random.int(400)
  if (kind === 0) return longValue(random)
  if (kind < 60) return random.pick(words.coloPorts)
  if (kind < 120) return random.pick(words.strangeBytes)
  return value(random, random.pick(keysWithValues))
}

const longValue = (random: Random) =>
  random.pick(['a', '/', ' ', 'x:', 'raw:', '\xe9', 'aB-']).repeat(2 ** random.int(12))

function prefixChain(random: Random): string {
  let chain = ''
  while (random.chance(0.25)) chain += random.pick(random.chance(0.95) ? words.prefixes : words.strangePrefixes)
  return chain
}

function join(random: Random, parameters: readonly string[]): string {
  const usual = random.pick([',', ',', ',', ', ', ',\t', ' '])
  let spec = random.chance(0.05) ? random.pick([' ', '\t ', '\n', ',']) : ''
  parameters.forEach((parameter, index) => {
    const odd = random.chance(0.04)
    const joint = odd ? random.pick([',,', ' ,', ',  ', ',\n', ' ', '\n', ', ,', '\t', '']) : usual
    spec += index > 0 ? joint + parameter : parameter
  })
  return random.chance(0.1) ? spec + random.pick([',', ' ', ', ', '\n', '=', ',=', '\t,', ' =']) : spec
}

/** A few small changes: a byte put in, taken out or exchanged, a piece doubled or moved, an end cut off. */
function mutate(random: Random, spec: string): string {
  for (let times = 1 + random.int(4); times > 0; times--) {
    const at = random.int(spec.length + 1)
    const length = 1 + random.int(random.chance(0.7) ? 1 : 8)
    const before = spec.slice(0, at)
    const piece = spec.slice(at, at + length)
    const after = spec.slice(at + length)
    switch (random.int(6)) {
      case 0:
        spec = before + after
        break
      case 1:
        spec = before + anyByte(random) + piece + after
        break
      case 2:
        spec = before + anyByte(random) + after
        break
      case 3:
        spec = before + piece + piece + after
        break
      case 4:
        spec = before + after.slice(0, length) + piece + after.slice(length)
        break
      default:
        spec = random.chance(0.5) ? before : piece + after
    }
  }
  return spec
}

/** Words of the language without its grammar. */
function tokenSoup(random: Random, flags: readonly string[]): string {
  const tokens = [...flags, ...words.names, ...words.prefixes, ...words.strangePrefixes]
  let soup = ''
  for (let count = 1 + random.int(10); count > 0; count--)
    soup += random.chance(0.5)
      ? random.pick(tokens)
      : random.pick(['=', ',', ':', ' ', '=', ',', '\t', '\n', 'a', '/x', 'xvda', 'w'])
  return soup
}

function byteSoup(random: Random): string {
  let soup = ''
  for (let count = random.int(random.chance(0.9) ? 16 : 100); count > 0; count--) soup += anyByte(random)
  return soup
}

const likelyBytes = '==,,,::  \t-_/abcrwdx019AZ'

function anyByte(random: Random): string {
  const kind = random.int(40)
  if (kind === 0) return '\n'
  if (kind < 5) return random.pick(words.strangeBytes)
  if (kind < 8) return String.fromCharCode(1 + random.int(255))
  return likelyBytes[random.int(likelyBytes.length)]!
}

/** Mostly one word; else cut at commas, at blanks, or anywhere, as a shell or a user may. */
function splitIntoWords(random: Random, spec: string): string[] {
  switch (random.int(20)) {
    case 0:
      return spec.split(',')
    case 1:
      return spec.split(/[ \t\n]/)
    case 2: {
      const at = random.int(spec.length + 1)
      return [spec.slice(0, at), spec.slice(at)]
    }
    case 3:
      return random.chance(0.05) ? [] : spec.split(/(?<=,)/)
    default:
      return [spec]
  }
}
