import type { Permission } from './permissions.js'
import { readDirectory } from './read-directory.js'
import type { RequestKind } from './request-kind.js'
import { mkdir } from './requests/mkdir.js'
import { getPermissions, setPermissions } from './requests/permissions.js'
import { read, readBytes } from './requests/read.js'
import { rm } from './requests/rm.js'
import { write } from './requests/write.js'
import type { RequestOptions, XenstoreNodes } from './xenstore.js'
import { XenstoreError } from './xenstore-error.js'

/** The requests about nodes, which are the same in a transaction and outside of one. */
export abstract class Nodes implements XenstoreNodes {
  /** Sends one request; never throws. */
  protected abstract perform<Parameters extends readonly unknown[], Reply>(
    kind: RequestKind<Parameters, Reply>,
    parameters: Parameters,
    options: RequestOptions | undefined,
  ): Promise<Reply>

  /** Takes notice of what one call of a method below has under way. */
  protected track<Reply>(work: () => Promise<Reply>): Promise<Reply> {
    return work()
  }

  read(path: string, options?: RequestOptions): Promise<string> {
    return this.track(() => this.perform(read, [path], options))
  }

  readBytes(path: string, options?: RequestOptions): Promise<Uint8Array> {
    return this.track(() => this.perform(readBytes, [path], options))
  }

  readIfPresent(path: string, options?: RequestOptions): Promise<string | undefined> {
    return this.track(() => this.perform(read, [path], options).catch(absent))
  }

  write(path: string, value: string | Uint8Array, options?: RequestOptions): Promise<void> {
    return this.track(() => this.perform(write, [path, value], options))
  }

  mkdir(path: string, options?: RequestOptions): Promise<void> {
    return this.track(() => this.perform(mkdir, [path], options))
  }

  rm(path: string, options?: RequestOptions): Promise<void> {
    return this.track(() => this.perform(rm, [path], options))
  }

  directory(path: string, options?: RequestOptions): Promise<string[]> {
    return this.track(() => readDirectory((...request) => this.perform(...request), path, options))
  }

  getPermissions(path: string, options?: RequestOptions): Promise<Permission[]> {
    return this.track(() => this.perform(getPermissions, [path], options))
  }

  setPermissions(path: string, permissions: readonly Permission[], options?: RequestOptions): Promise<void> {
    return this.track(() => this.perform(setPermissions, [path, permissions], options))
  }
}

function absent(error: unknown): undefined {
  if (error instanceof XenstoreError && error.code === 'ENOENT') return undefined
  throw error
}
