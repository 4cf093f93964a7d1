import { checkMethods } from '../check-argument.js'
import { type QmpCommand, takes } from './command.js'
import type { Qmp, QmpRequestOptions } from './qmp.js'
import { fieldsOf, list, object, text } from './reply.js'

interface SchemaEntity {
  name: string
  metaType: string
  features: readonly string[]
  argumentType: string | undefined
  members: readonly string[]
}

const features = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(name => typeof name === 'string') : []

const queryQmpSchema = {
  name: 'query-qmp-schema',
  takes: takes(),
  reply: value =>
    list(value, 'the schema', (element): SchemaEntity => {
      const entity = object(element, 'an entity')
      const { 'arg-type': argumentType, members, features: its } = entity
      return {
        name: text(entity, 'name'),
        metaType: text(entity, 'meta-type'),
        features: features(its),
        argumentType: typeof argumentType === 'string' ? argumentType : undefined,
        members: (Array.isArray(members) ? members : []).flatMap(member => {
          const { name } = fieldsOf(member) ?? {}
          return typeof name === 'string' ? [name] : []
        }),
      }
    }),
} satisfies QmpCommand

/** What one QEMU can do, by its own account. */
export interface QmpSchema {
  /** Whether it has a command. */
  has(command: string): boolean
  /** Whether it has a command, but says that it will go some day. */
  isDeprecated(command: string): boolean
  /** Whether a command has an argument, by its name. */
  hasArgument(command: string, argument: string): boolean
}

/** Asks a QEMU for its schema: some 200 kB, once for a connection. */
export async function querySchema(qmp: Qmp, options?: QmpRequestOptions): Promise<QmpSchema> {
  checkMethods('qmp', qmp, ['run'], 'a QMP connection')
  const entities = new Map((await qmp.run(queryQmpSchema, undefined, options)).map(entity => [entity.name, entity]))
  const commandOf = (name: string) => {
    const entity = entities.get(name)
    return entity?.metaType === 'command' ? entity : undefined
  }
  return {
    has: name => commandOf(name) !== undefined,
    isDeprecated: name => commandOf(name)?.features.includes('deprecated') ?? false,
    hasArgument: (name, argument) => {
      const type = entities.get(commandOf(name)?.argumentType ?? '')
      return type?.members.includes(argument) ?? false
    },
  }
}
