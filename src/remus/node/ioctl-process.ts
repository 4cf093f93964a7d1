// A process of its own, as libxl forks one: an ioctl that blocks can be left behind with it. The device is its file 3.
import { constants } from 'node:os'
import type { IoctlMessage } from './ioctl-message.js'

process.on('disconnect', () => process.exit())
const say = (message: IoctlMessage, then = () => {}) => process.send!(message, then)
const koffi = await import('koffi').catch((error: NodeJS.ErrnoException) => {
  const isMissing = error.code === 'ERR_MODULE_NOT_FOUND'
  say({ kind: 'no-koffi', why: isMissing ? '' : error.message }, () => process.exit())
})
if (koffi) serve(koffi.default)

function serve({ load, errno }: typeof import('koffi').default): void {
  const ioctl = load(null).func('int ioctl(int, unsigned long, ...)')
  const names = Object.entries(constants.errno)
  process.on('message', (request: number) => {
    const result: number = ioctl(3, request, 'long', 0)
    const number = errno()
    const error = names.find(([, value]) => value === number)?.[0] ?? `error ${number}`
    say(result < 0 ? { kind: 'error', error } : { kind: 'result', result })
  })
  say({ kind: 'ready' })
}
