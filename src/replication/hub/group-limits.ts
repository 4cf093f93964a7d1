import type { GroupLimits } from './group-record.js'

/** What a group may take where nothing else is said. */
export const usualLimits: Required<{ [Limit in keyof GroupLimits]: number }> = {
  journalBytes: 10 * 1024 ** 3,
  journalHardBytes: Number.MAX_SAFE_INTEGER,
  history: 24 * 3600 * 1_000_000,
  imageBytes: Number.MAX_SAFE_INTEGER,
  overlayBytes: 100 * 1024 ** 3,
  branches: 4,
  checkpoints: 2000,
  volumeBytes: 64 * 1024 ** 4,
  volumes: 64,
}

export type WholeLimits = typeof usualLimits

/** The limits of a group, with the usual ones for what its own say nothing of. */
export function wholeLimits(limits: GroupLimits): WholeLimits {
  const given = Object.entries(limits).filter(([, limit]) => limit !== undefined)
  return { ...usualLimits, ...Object.fromEntries(given) }
}
