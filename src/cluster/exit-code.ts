/** What an OCF action ends with (OCF 1.1, and Pacemaker's degraded states), by the standard's names. */
export const ocfCodes = {
  success: 0,
  genericError: 1,
  /** An argument that is wrong on this node. */
  wrongArguments: 2,
  notImplemented: 3,
  notPermitted: 4,
  notInstalled: 5,
  /** A configuration that is wrong on all nodes: the manager gives the resource up. */
  notConfigured: 6,
  /** Certainly not running. */
  notRunning: 7,
  promoted: 8,
  failedPromoted: 9,
  /** It runs, and something is wrong. */
  degraded: 190,
  degradedPromoted: 191,
} as const

export type OcfCode = (typeof ocfCodes)[keyof typeof ocfCodes]
