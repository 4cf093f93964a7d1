import type { BlockdevOptions } from './commands/blockdev-add.js'

/**
 * A target for backups that fails no write of the guest's. A backup copies a part before the guest's write to it, and has the write fail
 * with the copy: beside a node that takes everything, no copy fails. What the client fails in, QEMU reports (QUORUM_REPORT_BAD), and the
 * job succeeds all the same.
 *
 * @param size in bytes
 * @param client the options of the node that takes the copy
 */
export const safeTarget = (nodeName: string, size: number, client: BlockdevOptions): BlockdevOptions => ({
  driver: 'quorum',
  'node-name': nodeName,
  'vote-threshold': 1,
  children: [{ driver: 'null-co', size }, client],
})
