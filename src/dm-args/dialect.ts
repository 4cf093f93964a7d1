/** The Xen releases whose strings we know; 4.17's are master's too. */
export const dialects = ['4.17', 'master', '4.7'] as const

/**
 * The Xen release whose strings are wanted. `4.17` and `master` agree on every string; `4.7`, of 2016, is the first
 * release with COLO disks.
 */
export type Dialect = (typeof dialects)[number]

export function checkDialect(dialect: unknown): void {
  if (dialect !== undefined && !(dialects as readonly unknown[]).includes(dialect))
    throw new TypeError(`dialect must be ${dialects.map(name => `'${name}'`).join(' or ')}, not ${String(dialect)}`)
}
