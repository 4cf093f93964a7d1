import type { Agent, AgentHost, Resource } from './agent.js'
import type { ClusterView } from './cluster-view.js'
import { type OcfCode, ocfCodes } from './exit-code.js'
import { nextPromotion } from './next-promotion.js'
import type { OcfEnvironment } from './ocf-environment.js'
import { OcfFailure } from './ocf-failure.js'

/** The actions that need more than the agent's description. */
export const actionNames = [
  ...(['start', 'stop', 'monitor', 'promote', 'demote', 'notify', 'reload-agent', 'validate-all'] as const),
] as const

export type ActionName = (typeof actionNames)[number]

/** The level of the monitor that asks the process itself. */
const deepLevel = 10

/** The code of a monitor. */
const monitorCodes: Readonly<Record<ClusterView['monitor'], OcfCode>> = {
  running: ocfCodes.success,
  degraded: ocfCodes.degraded,
  promoted: ocfCodes.promoted,
  'degraded-promoted': ocfCodes.degradedPromoted,
  failed: ocfCodes.genericError,
  'failed-promoted': ocfCodes.failedPromoted,
}

/** What an action is done with. */
export interface Subject {
  agent: Agent
  resource: Resource
  environment: OcfEnvironment
  host: AgentHost
}

/** Does an action. @throws OcfFailure; any other Error is a generic one */
export async function runAction(action: ActionName, subject: Subject): Promise<OcfCode> {
  const { resource, host } = subject
  switch (action) {
    case 'validate-all':
    case 'reload-agent':
      await resource.validate()
      return ocfCodes.success
    case 'start':
      await resource.validate()
      if ((await resource.isServed()) !== true) await resource.start()
      await score(subject)
      return ocfCodes.success
    case 'stop':
      if ((await resource.isServed()) !== false) await resource.stop()
      resource.stopped?.()
      await host.cluster.setScore(undefined).catch(() => {})
      return ocfCodes.success
    case 'monitor':
      return monitor(subject)
    case 'promote':
      return promote(subject)
    case 'demote':
      await mustBeServed(resource)
      await resource.demote()
      await score(subject)
      return ocfCodes.success
    case 'notify':
      // what has happened on another node may change what this one has
      if ((await resource.isServed()) === true) await score(subject)
      return ocfCodes.success
  }
}

async function monitor(subject: Subject): Promise<OcfCode> {
  await mustBeServed(subject.resource)
  const { monitor: state } = await score(subject)
  const { level, parameters } = subject.environment
  const { report_degraded } = parameters
  const isQuiet = report_degraded === 'deep' && level < deepLevel
  return monitorCodes[isQuiet ? withoutDegraded(state) : state]
}

function withoutDegraded(state: ClusterView['monitor']): ClusterView['monitor'] {
  if (state === 'degraded-promoted') return 'promoted'
  return state === 'degraded' ? 'running' : state
}

/** What a node is preferred by, where an operator says that it is to be promoted with what it has. */
const forcedScore = 1

/** Says how much this node is preferred. Where there is no manager to hear of it, nobody promotes by it either. */
async function score({ resource, environment, host }: Subject): Promise<ClusterView> {
  const { cluster, warn } = host
  await resource.settle?.().catch((error: Error) => warn(error.message))
  const view = await resource.view()
  try {
    const isForced = view.score === undefined && (await forced(environment, host)) !== undefined
    await cluster.setScore(isForced ? forcedScore : view.score)
    resource.scored?.()
  } catch (error) {
    warn(`the promotion score cannot be set: ${(error as Error).message}`)
  }
  return view
}

/** What is not certain is no "not running": another node would be told that it may begin. */
async function mustBeServed(resource: Resource): Promise<void> {
  const isServed = await resource.isServed()
  if (isServed === false) throw new OcfFailure('notRunning', 'it is not running')
  if (isServed === undefined) throw new OcfFailure('genericError', 'another process has it, and does not answer')
}

/** The number goes to the cluster first: a promotion whose number nobody has seen could be given again. */
async function promote(subject: Subject): Promise<OcfCode> {
  const { agent, resource, environment, host } = subject
  const { cluster, warn } = host
  const { instance, node } = environment
  await mustBeServed(resource)
  const view = await resource.view()
  if (view.monitor === 'promoted' || view.monitor === 'degraded-promoted') return ocfCodes.success
  // each of them starts a tool, and a fail-over waits for this
  const [hasQuorum, isFencing, reason, only, known] = await Promise.all([
    cluster.hasQuorum(),
    cluster.isFencing(),
    forced(environment, host),
    cluster.onlyPromotable(instance),
    cluster.property(propertyOf(instance)),
  ])
  if (!hasQuorum)
    throw new OcfFailure('genericError', 'this partition has no quorum, so another one may have promoted a node')
  if (!isFencing) warn('stonith-enabled is false: two sides that lose each other both go on')
  await resource.checkPromotion?.(reason !== undefined)
  if (only !== undefined && only !== node) {
    if (reason === undefined)
      throw new OcfFailure('genericError', `${only} went on alone, and has what is missing here: see xl-cluster force`)
    await cluster.setOnlyPromotable(instance, undefined)
  }
  const last = Math.max(promotionOf(known), view.promotion)
  const number = nextPromotion(last, agent.nodes(environment).indexOf(node) + 1)
  await cluster.setProperty(propertyOf(instance), `${number}`)
  await resource.promote({ number, force: reason !== undefined })
  if (reason !== undefined) await recordForce(instance, node, number, reason, host)
  await score(subject)
  return ocfCodes.success
}

export const propertyOf = (instance: string): string => `xenlight-${instance}-promotion`
export const forceOf = (instance: string): string => `xenlight-${instance}-force`
const forcedOf = (instance: string): string => `xenlight-${instance}-forced`

export const promotionOf = (value: string | undefined): number => (/^\d{1,15}$/.test(value ?? '') ? Number(value) : 0)

/** The operator's reason, where this node is to be promoted with what it has. */
async function forced({ instance, node }: OcfEnvironment, { cluster }: AgentHost): Promise<string | undefined> {
  const [, name, reason] = /^(\S+) (.+)$/.exec((await cluster.property(forceOf(instance))) ?? '') ?? []
  return name === node ? reason : undefined
}

/** It is done once. */
async function recordForce(
  instance: string,
  node: string,
  number: number,
  reason: string,
  { cluster }: AgentHost,
): Promise<void> {
  await cluster.setProperty(forcedOf(instance), `${number} ${node} ${reason}`)
  await cluster.setProperty(forceOf(instance), undefined)
}
