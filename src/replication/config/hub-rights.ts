/**
 * What the hub may be allowed to ask of a group: `control` its protection (pause, resume, start, stop, checkpoint), `fail-back` to write the
 * disks of a group that it has taken over, whose guest does not run here; `read` and `write` any of its disks at any time.
 */
export const hubRights = ['control', 'fail-back', 'read', 'write'] as const

export type HubRight = (typeof hubRights)[number]
