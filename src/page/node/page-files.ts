import { readFileSync } from 'node:fs'

/** A file that is served as it is. */
export interface PageFile {
  type: string
  body: Buffer
}

export interface PageFiles {
  /** By the path of their URL; they hold no secret. */
  open: ReadonlyMap<string, PageFile>
  page: PageFile
  /** How one comes in; and after a wrong try. */
  login: PageFile
  wrongLogin: PageFile
}

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

const openNames = [
  ...(['page.css', 'icon.svg', 'page.js', 'element.js', 'texts.js', 'parts.js', 'plot.js', 'graph.js'] as const),
  ...(['time-line.js', 'stream.js', 'changes.js', 'colo.js', 'hub.js'] as const),
] as const

/** Reads what a page is made of, once: a request names one of these, and no file. @param folder the package's `page/` */
export function readPageFiles(folder: URL): PageFiles {
  const read = (name: string): PageFile => {
    const ending = name.split('.').at(-1) as keyof typeof types
    return { type: types[ending], body: readFileSync(new URL(name, folder)) }
  }
  const login = read('login.html')
  const wrong = login.body.toString().replace(' id="wrong" hidden', ' id="wrong"')
  return {
    open: new Map(openNames.map(name => [`/${name}`, read(name)])),
    page: read('index.html'),
    login,
    wrongLogin: { ...login, body: Buffer.from(wrong) },
  }
}
