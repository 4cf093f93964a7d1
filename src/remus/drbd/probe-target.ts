import { isResourceName } from './resource-name.js'

/** What is probed: a resource's first volume, or the device of one minor number. */
export type ProbeTarget = { resource: string; volume?: number | undefined } | { minor: number }

/** Reads `drbd:RES`, `/dev/drbdN`, `/dev/drbd/by-res/RES[/VOLUME]`; undefined where it names no DRBD device. */
export function readTarget(text: string): ProbeTarget | undefined {
  const [, named] = /^drbd:(.*)$/s.exec(text) ?? []
  if (named !== undefined) return isResourceName(named) ? { resource: named } : undefined
  const [, minor] = /^\/dev\/drbd(?:\/by-minor\/)?_?([0-9]{1,7})$/.exec(text) ?? []
  if (minor !== undefined) return { minor: Number(minor) }
  const [, resource, volume] = /^\/dev\/drbd\/by-res\/([^/]+)(?:\/([0-9]{1,5}))?$/.exec(text) ?? []
  if (resource === undefined || !isResourceName(resource)) return undefined
  return { resource, volume: volume === undefined ? undefined : Number(volume) }
}
