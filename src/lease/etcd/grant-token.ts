import { wrongValue } from '../../check-argument.js'

/** What this store notes in a grant: the lease of etcd's, and in which revision the holder's key was put on it. */
export interface GrantToken {
  lease: string
  revision: string
}

export const grantToken = (lease: string, revision: string): string => `${lease}/${revision}`

/** @throws TypeError for another store's */
export function readToken(token: string): GrantToken {
  const [, lease, revision] = /^(-?\d{1,19})\/(\d{1,19})$/.exec(token) ?? []
  if (lease === undefined || revision === undefined) throw wrongValue('grant', 'one of this store', token)
  return { lease, revision }
}
