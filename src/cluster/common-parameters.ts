import type { Parameter } from './parameter.js'

/** The parameters that every agent of ours has besides its own. */
export const commonParameters: readonly Parameter[] = [
  {
    ...{ name: 'report_degraded', type: 'string', default: 'always', oneOf: ['always', 'deep'], isReloadable: true },
    short: 'Which monitors say that there is no replica',
    long: `always: every monitor says 191 where the promoted side runs without a replica, and 190 where the other one is none. deep: those of level 10
do, and those of level 0 say 8 and 0.
Pacemaker 2.1.5 does not begin a monitor again after maintenance mode that has said 191 before: with deep the one of level 0 is never lost.`,
  },
]
