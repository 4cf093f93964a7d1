import { toLibxlJson } from '../libxl/to-libxl-json.js'
import { safeParseDisk } from '../xlu/parse-disk.js'
import { done, refused, wrongUsage } from './exit-status.js'
import type { Io } from './io.js'

const usage = `Usage: xl [-vtTfN] block-attach <Domain> <disk-spec-component(s)>...

Create a new virtual block device.

`

/** Whether this is xl's own call for a dry run: `-N block-attach DOMID SPEC...`, after xl's global options. */
export function isXlCall(args: readonly string[]): boolean {
  const globals = args.slice(0, Math.max(0, args.indexOf('block-attach')))
  return globals.every(arg => /^-[vftTN]+$/.test(arg)) && globals.some(arg => arg.includes('N'))
}

/** Does what `xl -N block-attach` does, with xl's own words on both streams: Xen's test script runs with it in xl's place. */
export function runAsXl(io: Io): number {
  const words = permute(io.args.slice(io.args.indexOf('block-attach') + 1))
  if ('unsupported' in words) {
    io.write(2, `option \`${words.unsupported}' not supported.\n`)
    return wrongUsage
  }
  if ('help' in words) {
    io.write(1, usage)
    return done
  }
  const [domain, ...spec] = words.operands
  if (domain === undefined || spec.length === 0) {
    io.write(2, "'xl block-attach' requires at least 2 arguments.\n\n")
    io.write(1, usage)
    return wrongUsage
  }
  if (!/^[0-9]*$/.test(domain) && domain !== 'Domain-0') {
    io.write(2, `${domain} is an invalid domain identifier\n`)
    return refused
  }
  const result = safeParseDisk(spec)
  if (!result.success) {
    io.write(2, result.error.libxlMessage || `xl-disk-parse: ${result.error.message}\n`)
    return refused
  }
  io.write(1, `disk: ${toLibxlJson(result.disk)}\n`)
  return done
}

type Words = { operands: string[] } | { help: true } | { unsupported: string }

/** getopt_long with -h and --help: options may stand anywhere in front of `--`. */
function permute(args: readonly string[]): Words {
  const operands: string[] = []
  for (const [index, arg] of args.entries()) {
    if (arg === '--') return { operands: [...operands, ...args.slice(index + 1)] }
    if (!arg.startsWith('-') || arg === '-') {
      operands.push(arg)
    } else if (arg.startsWith('--')) {
      const name = arg.slice(2).split('=', 1)[0]!
      return 'help'.startsWith(name) ? { help: true } : { unsupported: '\0' }
    } else {
      return arg[1] === 'h' ? { help: true } : { unsupported: arg[1]! }
    }
  }
  return { operands }
}
