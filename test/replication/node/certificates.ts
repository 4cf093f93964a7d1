import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { MissingRealPart } from '../../support/real-part.js'

export interface Authority {
  /** A certificate of it, by its common name and perhaps another name. */
  sign(commonName: string, alternative?: string): { ca: Buffer; cert: Buffer; key: Buffer }
}

/** @throws MissingRealPart where there is no openssl */
export function newAuthority(t: Test): Authority {
  if (!existsSync('/usr/bin/openssl')) throw new MissingRealPart('openssl', 'openssl')
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string) => join(folder, name)
  const make = (...args: string[]) => {
    const all = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('/usr/bin/openssl', [...all, ...args], { stdio: 'ignore' })
  }
  make('-subj', '/CN=authority', '-keyout', at('ca.key'), '-out', at('ca.pem'))
  return {
    sign(commonName, alternative) {
      const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-addext', 'basicConstraints=critical,CA:FALSE']
      const names = alternative === undefined ? [] : ['-addext', `subjectAltName=${alternative}`]
      make(...by, ...names, '-subj', `/CN=${commonName}`, '-keyout', at('one.key'), '-out', at('one.pem'))
      return { ca: readFileSync(at('ca.pem')), cert: readFileSync(at('one.pem')), key: readFileSync(at('one.key')) }
    },
  }
}
