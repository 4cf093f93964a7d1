import type { DiskTarget } from '../choose-backend.js'
import type { LockUserdata } from '../userdata/domain-userdata.js'

/** A hotplug script as it is to be run: no shell is between. */
export interface ScriptCall {
  /** An absolute path. */
  script: string
  args: readonly string[]
  /** What is added to the process's own environment. */
  env: Readonly<Record<string, string>>
  /** In milliseconds; then the script and what it started are killed. */
  timeout: number
  signal?: AbortSignal | undefined
}

/** How a script ended. */
export interface ScriptOutcome {
  /** Its exit status; undefined where it never started, was killed or took too long. */
  status: number | undefined
  /** Why there is no status, in the C library's words or as "killed by signal SIGKILL" or "timed out". */
  reason?: string | undefined
  /** The end of what it wrote to standard error. */
  stderr: string
}

/** All that attaching a disk touches on the host besides xenstore. A test can put another in its place. */
export interface DiskHost {
  /** The domain that this process runs in. */
  readonly domid: number
  /** What a path is; where it can't be examined, 'missing' and the reason in the C library's words. */
  examine(path: string): Promise<{ target: DiskTarget; reason?: string | undefined }>
  /** Makes sure that the read-only file behind an empty CD drive exists. */
  createEmptyCdrom(path: string): Promise<void>
  runScript(call: ScriptCall): Promise<ScriptOutcome>
  /**
   * How many sectors of 512 bytes a block device has, by its number as hotplug scripts write it ("7:1f", in hexadecimal);
   * undefined where that can't be known. A host without this leaves it to the backend to find that there are none.
   */
  sectorsOf?(device: string): Promise<number | undefined>
  /**
   * Takes libxl's lock of a domain, and reads and replaces libxl's file of its configuration while it is held. A host without
   * this has no libxl beside it: nothing is locked, and no such file is written.
   */
  readonly lockUserdata?: LockUserdata | undefined
}
