/** The options by which a command that serves says which lease it serves under, and who keeps it. */
export const leaseOptions = [
  { name: 'lease', takes: 'NAME', help: 'serve only while this lease is held, of a cluster of etcd' },
  { name: 'etcd', takes: 'URL,URL…', help: 'the members of that cluster' },
  { name: 'etcd-tls', takes: 'DIR', file: true, help: 'a folder with ca.pem, cert.pem and key.pem, for https' },
  { name: 'lease-ttl', takes: 'TIME', help: 'how long it lasts when its holder has died (default: 10s)' },
] as const

export type LeaseOptionName = (typeof leaseOptions)[number]['name']
