/** What QEMU is made of where it comes to disks: devices, the nodes that they read, and COLO's way to the other host. */
export interface BlockGraph {
  nodes: BlockGraphNode[]
  edges: BlockGraphEdge[]
  /** libxl's warnings about disks that QEMU does not emulate: they are not in the graph. */
  warnings: string[]
}

/** A part of the graph. */
export interface BlockGraphNode {
  id: string
  kind: BlockGraphKind
  /** Lines that say what it is; a path in them is as it was given, so never paste them unescaped. */
  label: string[]
}

/** `device` is what the guest sees, `protocol` opens a file, a device or a socket, `server` lets the primary in. */
export type BlockGraphKind = 'device' | 'quorum' | 'replication' | 'format' | 'protocol' | 'server'

/** From who reads to what is read. */
export interface BlockGraphEdge {
  from: string
  to: string
  /** QEMU's name for the child; `drive` for a device's, `export` for the server's. */
  role: 'drive' | 'file' | 'backing' | 'children.0' | 'children.1' | 'export'
  /** Not QEMU's arguments make it, but QMP commands, when COLO starts. */
  later?: true
}
