import { readSections } from './read-sections.js'

/**
 * The protocol in what `drbdsetup show RESOURCE` writes: `protocol` of its `net` sections, of which 9 has one for each peer. DRBD leaves
 * out what is its default, C, unless it was told to show that too. No `protocol` where the resource has no network part; undefined where
 * the text cannot be read.
 */
export function readProtocol(text: string): { protocol?: string } | undefined {
  const sections = readSections(text)
  if (sections === undefined) return undefined
  const named = sections
    .filter(({ words }) => words[0] === 'net')
    .flatMap(({ statements }) => statements)
    .filter(([name]) => name === 'protocol')
    .map(([, value = '']) => value)
  if (!named.every(protocol => /^[A-Z]$/.test(protocol))) return undefined
  // one peer without D is enough for no checkpoints
  const protocol = named.find(protocol => protocol !== 'D') ?? named[0]
  if (protocol !== undefined) return { protocol }
  const isConnected = sections.some(({ words, statements }) =>
    [words, ...statements].some(([name]) => network.has(name)),
  )
  return isConnected ? { protocol: 'C' } : {}
}

/** What only a resource with a network part has. */
const network: ReadonlySet<string | undefined> = new Set(['_remote_host', 'path', '_peer_node_id', 'connection', 'net'])
