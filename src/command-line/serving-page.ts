import { PageTokenError, readPageToken } from '../page/node/page-token.js'
import { type PageOptions, servePage } from '../page/node/serve-page.js'
import { fs } from './fs.js'
import type { PageChoice } from './page-choice.js'
import { calling, SystemError } from './system-error.js'

/** What is shown, and what may be changed. */
export type ServedPage = Pick<PageOptions, 'every' | 'view' | 'changes'>

/** It lies two folders above the command, bundled or not. */
const pageFolder = new URL('../../page/', import.meta.url)

/** Serves a command's page; nothing without a choice. @throws SystemError, LinkError */
export async function servingPage(choice: PageChoice | undefined, page: ServedPage): Promise<AsyncDisposable> {
  if (choice === undefined) return { [Symbol.asyncDispose]: async () => {} }
  const { address, tls, host } = choice
  return await servePage({
    ...page,
    address,
    token: tokenOf(choice.token),
    folder: pageFolder,
    hosts: host === undefined ? [] : [host],
    tls: tls === undefined ? undefined : { cert: readFile(`${tls}/cert.pem`), key: readFile(`${tls}/key.pem`) },
  })
}

function tokenOf(file: string): string {
  try {
    return readPageToken(file)
  } catch (error) {
    if (error instanceof PageTokenError) throw new SystemError(file, 'EINVAL', error.message)
    return calling(file, () => {
      throw error
    })
  }
}

const readFile = (file: string): Buffer => calling(file, () => fs.readFileSync(file))
