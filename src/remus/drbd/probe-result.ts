/** The probe's answers, with block-drbd-probe's exit status of each. */
export const probeStatuses = { ready: 0, 'not-drbd': 1, unknown: 2, 'not-protocol-d': 3, 'not-ready': 4 } as const

export type ProbeOutcome = keyof typeof probeStatuses

/** What was found of a device or resource; what is not known is absent. */
export interface ProbeResult {
  outcome: ProbeOutcome
  resource?: string | undefined
  /** Its path: /dev/drbd0. */
  device?: string | undefined
  protocol?: string | undefined
  connection?: string | undefined
  /** Ours and the peer's. */
  roles?: readonly [string, string] | undefined
  disks?: readonly [string, string] | undefined
  /** Why it is not ready. */
  why?: string | undefined
  /** What to do about it. */
  hint?: string | undefined
}
