import type { Parameter } from './parameter.js'

/** The parameters of `ocf:xenlight:remus`. */
export const remusParameters: readonly Parameter[] = [
  {
    ...{ name: 'disk', type: 'string', isRequired: true, isUnique: true },
    short: 'The disk',
    long: 'The disk image or block device, on both nodes. xl-remus create has made a node of it on each.',
  },
  {
    ...{ name: 'nodes', type: 'string', isRequired: true },
    short: 'The two nodes, and where they speak to each other',
    long: 'NODE=HOST:PORT NODE=HOST:PORT: the names of the nodes in the cluster, and the addresses for the replication. The first one listens.',
  },
  {
    ...{ name: 'pair_file', type: 'string', isRequired: true },
    short: "A file with the pair's name",
    long: 'One line that nobody guesses, the same on both nodes: it lets the peer in.',
  },
  {
    ...{ name: 'nbd', type: 'string', isUnique: true },
    short: 'The NBD socket, for the guest',
    long: 'A unix socket. By default nbd.sock in the folder of the resource, /run/xenlight/RESOURCE.',
  },
  {
    ...{ name: 'export', type: 'string', default: 'disk' },
    short: "The disk's name on the NBD socket",
    long: "The disk's name on the NBD socket.",
  },
  {
    ...{ name: 'tls', type: 'string' },
    short: 'A folder with ca.pem, cert.pem and key.pem',
    long: 'Certificates for the replication. Without them, whoever reads the network reads the disk.',
  },
  {
    ...{ name: 'dead_after', type: 'time', default: '6s' },
    short: 'How long the peer may be silent',
    long: "How long the peer may be silent before it counts as gone. Keep it above Corosync's token: who has gone is known to the cluster first then.",
  },
]
