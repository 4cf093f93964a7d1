/** What a parameter is: a key of its own, a flag, or one of the shapes that have no name in the text. */
export type ParameterKey =
  | 'format'
  | 'devtype'
  | 'access'
  | 'backendtype'
  | 'backend'
  | 'specification'
  | 'vdev'
  | 'script'
  | 'colo-host'
  | 'colo-port'
  | 'colo-export'
  | 'active-disk'
  | 'hidden-disk'
  | 'grant_usage'
  | 'target'
  | 'cdrom'
  | 'direct-io-safe'
  | 'discard'
  | 'no-discard'
  | 'colo'
  | 'no-colo'
  | 'trusted'
  | 'untrusted'
  | 'positional'
  | 'unknown-setting'
  | 'unknown-prefix'
  | 'stray-equals'
  | 'bad-syntax'

/** One parameter of a spec: its value as written, of a devtype or an unknown one its whole text, and where it begins. */
export interface ValueParameter {
  key: ParameterKey
  value: string
  at: number
}

/** One or more known deprecated prefixes, `raw:` or `tap:qcow2:`. */
export interface PrefixParameter {
  key: 'prefixes'
  value: { key: string; at: number }[]
  at: number
}

export type Parameter = ValueParameter | PrefixParameter

/** Gets the parameters of a spec, in the order of the text. */
export interface ParameterSink {
  positional(value: string, at: number): void
  parameter(parameter: Parameter): void
}

/** Cuts a spec into its parameters. Every string without NUL has exactly one reading; nothing is thrown. */
export function parse<Sink extends ParameterSink>(spec: string, sink: Sink): Sink
