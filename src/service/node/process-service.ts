import { Notifier } from '../notifier.js'
import { type Service, unheard } from '../service.js'
import { type WatchdogEnvironment, watchdogInterval } from '../watchdog-interval.js'
import { findSystemdNotify, systemdNotify } from './systemd-notify.js'

/**
 * What the manager that started this process hears of it, as the environment says; children that are started later do not inherit that.
 *
 * @param complain hears once why the manager cannot be told
 */
export function processService(complain: (why: string) => void, env: NodeJS.ProcessEnv = process.env): Service {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC, WATCHDOG_PID } = env as { NOTIFY_SOCKET?: string } & WatchdogEnvironment
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
  if (socket === undefined || socket === '') return unheard
  const program = findSystemdNotify()
  if (program === undefined) {
    complain(
      'NOTIFY_SOCKET is set, and there is no systemd-notify to tell it anything: install systemd, or use Type=exec',
    )
    return unheard
  }
  let isSilent = false
  return new Notifier({
    async send(assignments) {
      try {
        await systemdNotify(program, socket, assignments)
        isSilent = false
      } catch (error) {
        if (!isSilent) complain(`the service manager cannot be told: ${(error as Error).message}`)
        isSilent = true
      }
    },
    uptime: () => process.hrtime.bigint() / 1000n,
    watchdog: watchdogInterval({ WATCHDOG_USEC, WATCHDOG_PID }, process.pid),
    every(milliseconds, call) {
      const timer = setInterval(call, milliseconds)
      return () => clearInterval(timer)
    },
  })
}
