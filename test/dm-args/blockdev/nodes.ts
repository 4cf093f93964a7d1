/** A node as it stands in an argument. */
export interface Node {
  driver: string
  'node-name': string
  filename?: string
  server?: { path: string }
  children?: Node[]
  file?: Node
  backing?: Node | string
  [option: string]: unknown
}

/** The -blockdev arguments. */
export const nodesOf = (args: readonly string[]): Node[] =>
  args.flatMap((arg, at) => (args[at - 1] === '-blockdev' ? [JSON.parse(arg) as Node] : []))

/** The -device arguments. */
export const devicesOf = (args: readonly string[]): string[] => args.filter((_, at) => args[at - 1] === '-device')

/** A node and all those inside of it, each before its children. */
export function within(node: Node): Node[] {
  const { children = [], file, backing } = node
  const inner = [...children, ...(file ? [file] : []), ...(typeof backing === 'object' ? [backing] : [])]
  return [node, ...inner.flatMap(within)]
}
