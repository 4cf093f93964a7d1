import type { ProbeResult } from '../remus/drbd/probe-result.js'

/** What the probe found, in a line: the answer, what there is, why, and what to do. */
export function probeText(found: ProbeResult): string {
  const { outcome, resource, device, protocol, connection, roles, disks, why, hint } = found
  const there = [
    resource && `resource ${resource}`,
    device,
    protocol && `protocol ${protocol}`,
    connection,
    roles?.join('/'),
    disks?.join('/'),
  ]
  const words = there.filter(word => word !== undefined && word !== '').join(', ')
  return `${outcome}: ${[words, why, hint].filter(part => part !== undefined && part !== '').join('; ')}`
}
