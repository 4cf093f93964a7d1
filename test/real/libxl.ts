import { spawnSync } from 'node:child_process'
import { decodeText, encodeText } from '#xenlight/byte-text.js'
import { buildC } from './c-program.js'

/** 'json': the record in a JSON text, written again, or the number of the refusal. 'vdev': "devid disk partition". */
export type Question = 'json' | 'vdev'

const shared = ['ctrl', 'guest', 'store', 'toollog', 'evtchn', 'devicemodel', 'foreignmemory', 'gnttab', 'call']

/** Builds the driver if need be, with libxl's archive: one of the functions asked is not exported by the shared library. */
const libxlDriver = (): string =>
  buildC('libxl-driver', {
    libraries: [
      '-l:libxenlight.a',
      ...[...shared, 'toolcore', 'hypfs'].map(name => `-lxen${name}`),
      '-lyajl',
      '-l:libuuid.so.1',
    ],
    packages: 'gcc libc6-dev libxen-dev',
  })

/** The real libxl's answers to texts without NUL. Throws MissingRealPart without gcc or libxen-dev. */
export function askLibxl(question: Question, texts: readonly string[]): string[] {
  const input = Buffer.concat(texts.map(text => encodeText(`${text}\0`)))
  const { status, stdout, stderr } = spawnSync(libxlDriver(), [question], { input, maxBuffer: 2 ** 30 })
  if (status !== 0) throw new Error(`libxl-driver ended with ${status}: ${stderr}`)
  return decodeText(stdout).split('\0').slice(0, -1)
}
