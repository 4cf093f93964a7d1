import { isSpecialPath } from './special-path.js'

/** The longest paths, in bytes (XENSTORE_ABS_PATH_MAX, XENSTORE_REL_PATH_MAX). */
const absolutePathMax = 3072
export const relativePathMax = 2048

export interface PathProblem {
  code: 'EINVAL' | 'ENAMETOOLONG'
  message: string
}

/** What is wrong with a node's path; undefined where nothing is. */
export function pathProblem(path: unknown): PathProblem | undefined {
  if (typeof path !== 'string') return { code: 'EINVAL', message: `a path is a string, not ${typeof path}` }
  if (path === '') return { code: 'EINVAL', message: 'a path cannot be empty' }
  const longest = path.startsWith('/') ? absolutePathMax : relativePathMax
  const stray = /[^-A-Za-z0-9/_@]/u.exec(path)
  if (stray !== null) {
    const character = JSON.stringify(stray[0])
    return {
      code: 'EINVAL',
      message: `a path cannot have ${character} (at ${stray.index}): letters, digits and -/_@ only`,
    }
  }
  if (path.length > longest) {
    return { code: 'ENAMETOOLONG', message: `a path of ${path.length} bytes (at most ${longest})` }
  }
  if (path.includes('//')) return { code: 'EINVAL', message: 'a path cannot have two slashes in a row' }
  if (path !== '/' && path.endsWith('/')) return { code: 'EINVAL', message: 'a path cannot end in a slash' }
  return undefined
}

/** The same for what is watched: a path, or one of the daemon's special ones. */
export const watchPathProblem = (path: unknown): PathProblem | undefined =>
  typeof path === 'string' && isSpecialPath(path) ? undefined : pathProblem(path)
