import type { MutualTls } from '../link/node/mutual-tls.js'
import { fs } from './fs.js'
import { calling } from './system-error.js'

/** The certificates that a folder holds: ca.pem, cert.pem and key.pem. @throws SystemError */
export function certificates(folder: string): MutualTls {
  const read = (name: string) => {
    const file = `${folder}/${name}`
    return calling(file, () => fs.readFileSync(file))
  }
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
}
