import { timeLimits } from './time-limits.js'

/** How long things may take, in milliseconds. */
export interface ConnectTimeouts {
  /** The backend, to take the device up: 10 s by default (LIBXL_INIT_TIMEOUT). */
  backend: number
  /** Its hotplug script: 40 s by default (LIBXL_HOTPLUG_TIMEOUT). */
  hotplug: number
  /** The backend again, to fail after that, or to connect: 1 s by default. A guest that isn't there yet is no failure. */
  settle: number
}

/** @throws RangeError for what is no number of milliseconds */
export const connectLimits = (
  timeouts: Partial<Record<keyof ConnectTimeouts, number | undefined>> | undefined,
): ConnectTimeouts => timeLimits({ backend: 10_000, hotplug: 40_000, settle: 1000 }, timeouts)
