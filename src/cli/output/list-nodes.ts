import { toByteString } from '../../byte-text.js'
import type { XenstoreNode } from '../../libxl/disk-to-nodes.js'

interface Branch {
  node?: XenstoreNode
  branches: Map<string, Branch>
}

const branch = (): Branch => ({ branches: new Map() })

/**
 * Nodes as `xenstore-ls -fp` prints them from a store into which they were written in this order: each directory is
 * followed by what is in it. The directories above the devices are left out.
 */
export function listNodes(nodes: readonly XenstoreNode[]): string {
  const root = branch()
  for (const node of nodes) {
    let at = root
    for (const name of node.path.split('/').slice(1)) {
      const next = at.branches.get(name) ?? branch()
      at.branches.set(name, next)
      at = next
    }
    at.node = node
  }
  return lines(root)
}

/** A device's path is at most eight names deep. */
const lines = ({ node, branches }: Branch): string =>
  (node ? `${node.path} = "${escapeValue(node.value)}"   (${node.perms})\n` : '') +
  [...branches.values()].map(lines).join('')

/** The escapes of Xen's xenstore clients. A quotation mark is not escaped. */
const escapeValue = (value: string): string => toByteString(value).replace(/[^\x20-\x5b\x5d-\x7e]/g, escapeByte)

const short: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }

function escapeByte(byte: string): string {
  const code = byte.charCodeAt(0)
  return short[byte] ?? (code < 8 ? `\\00${code}` : `\\x${code.toString(16).padStart(2, '0')}`)
}
