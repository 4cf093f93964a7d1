import { longestTimeout } from '../link/limits.js'

/** What a manager says of its watchdog, in a process's environment. */
export interface WatchdogEnvironment {
  readonly WATCHDOG_USEC?: string | undefined
  readonly WATCHDOG_PID?: string | undefined
}

/** How many signs of life there are in the time of the watchdog: one that comes late ends nobody. */
const signs = 3

/** How often this process is to give a sign of life, in milliseconds; undefined where nobody waits for one. */
export function watchdogInterval(
  { WATCHDOG_USEC, WATCHDOG_PID }: WatchdogEnvironment,
  pid: number,
): number | undefined {
  // a child inherits what its parent was told
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return undefined
  if (WATCHDOG_USEC === undefined || !/^[0-9]{1,20}$/.test(WATCHDOG_USEC)) return undefined
  const interval = Number(WATCHDOG_USEC) / 1000 / signs
  // the largest number of systemd stands for no watchdog
  return interval > 0 && interval <= longestTimeout ? Math.max(1, Math.floor(interval)) : undefined
}
