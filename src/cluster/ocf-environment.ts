import { commonParameters } from './common-parameters.js'
import { OcfFailure } from './ocf-failure.js'
import type { Parameter } from './parameter.js'

/** What the cluster manager says of a resource by its environment. */
export interface OcfEnvironment {
  /** The resource's name, without the number of its clone. */
  readonly instance: string
  /** This node's name in the cluster. */
  readonly node: string
  /** How long the action may take, in milliseconds. */
  readonly timeout: number
  /** How deep a monitor looks. */
  readonly level: number
  readonly parameters: Readonly<Record<string, string>>
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where nobody says how long an action may take, in milliseconds. */
const usualTimeout = 60_000

/**
 * @param hostname what a node is called where nobody says otherwise
 * @throws OcfFailure notConfigured where a parameter is missing or none of those that it may be, or the resource's name is none
 */
export function readEnvironment(env: Environment, parameters: readonly Parameter[], hostname: string): OcfEnvironment {
  const { OCF_RESOURCE_INSTANCE = 'default', OCF_CHECK_LEVEL, OCF_RESKEY_CRM_meta_timeout: timeout } = env
  const { OCF_RESKEY_CRM_meta_on_node: node = hostname } = env
  const instance = OCF_RESOURCE_INSTANCE.replace(/:\d+$/, '')
  // it becomes a folder's name, and a part of other names
  if (!/^[A-Za-z_][\w.-]{0,63}$/.test(instance))
    throw new OcfFailure(
      'notConfigured',
      'the resource has a name of other characters than letters, digits, _, . and -',
    )
  const values: Record<string, string> = {}
  for (const { name, isRequired, oneOf, default: usual } of [...parameters, ...commonParameters]) {
    const value = env[`OCF_RESKEY_${name}`] ?? usual
    if (value !== undefined && oneOf?.includes(value) === false)
      throw new OcfFailure('notConfigured', `the parameter ${name} takes one of ${oneOf.join(', ')}`)
    if (value !== undefined && value !== '') values[name] = value
    else if (isRequired) throw new OcfFailure('notConfigured', `the parameter ${name} is missing`)
  }
  return {
    instance,
    node,
    timeout: /^\d{1,9}$/.test(timeout ?? '') ? Number(timeout) : usualTimeout,
    level: /^\d{1,3}$/.test(OCF_CHECK_LEVEL ?? '') ? Number(OCF_CHECK_LEVEL) : 0,
    parameters: values,
  }
}
