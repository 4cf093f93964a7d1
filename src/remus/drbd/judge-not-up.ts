import type { ProbeResult } from './probe-result.js'
import type { ProbeTarget } from './probe-target.js'
import { refused } from './refused.js'
import type { RunTool, ToolLimits } from './run-tool.js'
import { saysNoSuch } from './says-no-such.js'

/** The answer for a volume that the kernel has not: whether the configuration has it, or none has, or drbdadm does not say. */
export async function judgeNotUp(what: ProbeTarget, run: RunTool, limits: ToolLimits): Promise<ProbeResult> {
  const asked = 'minor' in what ? 'all' : nameOf(what)
  const command = `drbdadm sh-dev ${asked}`
  const hint = `run ${command} yourself: it reads /etc/drbd.conf, and what that includes`
  const { status, stdout, stderr } = await run('drbdadm', ['sh-dev', asked], limits)
  if (status !== 0) return saysNoSuch(asked, status, stderr) ? unheardOf(what) : refused(command, status, stderr, hint)
  const devices = stdout.split('\n').filter(line => line !== '')
  if (devices.length === 0 || !devices.every(device => device.startsWith('/dev/')))
    return { outcome: 'unknown', why: `${command} wrote no list of devices`, hint }
  return 'minor' in what && !devices.includes(`/dev/drbd${what.minor}`) ? unheardOf(what) : notUp(what)
}

type Named = Exclude<ProbeTarget, { minor: number }>

/** As drbdadm names it: of a resource that has other volumes, it answers for this one only. */
const nameOf = ({ resource, volume }: Named): string => (volume === undefined ? resource : `${resource}/${volume}`)

function textOf(what: ProbeTarget): string {
  if ('minor' in what) return `/dev/drbd${what.minor}`
  const resource = `DRBD resource ${what.resource}`
  return what.volume === undefined ? resource : `volume ${what.volume} of ${resource}`
}

function notUp(what: ProbeTarget): ProbeResult {
  const why = `${textOf(what)} is configured, but not up`
  if ('minor' in what) return { outcome: 'not-ready', why, hint: 'bring it up: drbdadm up RESOURCE' }
  // other volumes of it may be up
  const verb = what.volume === undefined ? 'up' : 'adjust'
  return { outcome: 'not-ready', why, hint: `bring it up: drbdadm ${verb} ${what.resource}` }
}

const unheardOf = (what: ProbeTarget): ProbeResult => ({
  outcome: 'not-drbd',
  why: `neither the kernel nor DRBD's configuration has ${textOf(what)}`,
  hint: 'drbdadm sh-resource all lists the resources that are configured, drbdsetup status the volumes that are up',
})
