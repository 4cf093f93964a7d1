import { decodeText } from '../byte-text.js'
import { fs } from './fs.js'

/** Node.js writes U+FFFD for bytes of its arguments that are not UTF-8; Linux still knows them. */
export function exactArguments(args: readonly string[]): readonly string[] {
  if (!args.some(arg => arg.includes('\ufffd'))) return args
  try {
    const words = decodeText(fs.readFileSync('/proc/self/cmdline')).split('\0').slice(0, -1)
    return args.length > words.length ? args : words.slice(words.length - args.length)
  } catch {
    return args
  }
}
