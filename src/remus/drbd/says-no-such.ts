/** With which statuses drbdadm ends where a name is not known to it: 1, and 3 in its first years. 10 is a configuration with faults. */
const statuses: readonly (number | undefined)[] = [1, 3]

/**
 * Whether drbdadm said that the configuration of this host has no such resource or volume. The status alone says
 * nothing: it is that of every wrong usage.
 *
 * @param asked `r0`, `r0/7`, or `all`
 */
export function saysNoSuch(asked: string, status: number | undefined, stderr: string): boolean {
  if (!statuses.includes(status)) return false
  const [resource, volume] = asked.split('/')
  const beginnings = [
    `'${asked}' not defined in your config`,
    `Resource '${resource}' has no volume ${volume}`,
    // of a configuration that is empty, and of one that is for other hosts
    'no resources defined!',
    'WARN: no normal resources defined for this host',
  ]
  return stderr.split('\n').some(line => beginnings.some(beginning => line.startsWith(beginning)))
}
