/** What a guest may use at most; domain 0 may use all. */
export const quotaDescriptions = {
  nodes: 'Nodes per domain',
  watches: 'Watches per domain',
  transactions: 'Active transactions per domain',
  'transaction-nodes': 'Max. number of accessed nodes per transaction',
  'node-permissions': 'Max. number of permissions per node',
  'path-max': 'Max. length of a node path',
  'node-size': 'Max. size of a node',
} as const

/** The names of the quotas that the embedded store has. */
export type QuotaName = keyof typeof quotaDescriptions

export type Quotas = Record<QuotaName, number>

export const quotaNames = Object.keys(quotaDescriptions) as QuotaName[]

/** xenstored's own, of Xen 4.17. */
export const defaultQuotas: Readonly<Quotas> = {
  nodes: 1000,
  watches: 128,
  transactions: 10,
  'transaction-nodes': 1024,
  'node-permissions': 5,
  'path-max': 2048,
  'node-size': 2048,
}

export const isQuotaName = (name: string): name is QuotaName => Object.hasOwn(quotaDescriptions, name)
