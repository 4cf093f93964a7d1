import { XenlightError } from '../xenlight-error.js'
import type { Diagnostic } from './diagnostic.js'
import type { DiskSpecErrorCode } from './diagnostic-code.js'

/** A disk spec that libxlutil refuses, or that we refuse for a stated reason. `message` says the first thing wrong, and where. */
export class DiskSpecError extends XenlightError {
  override readonly name = 'DiskSpecError'
  /** The first error's code; the diagnostics have those of all. */
  readonly code: DiskSpecErrorCode
  /**
   * Byte for byte what `xlu_disk_parse` reports, all its lines; empty where libxlutil would have accepted the spec.
   * A byte that is no valid UTF-8 stands as a lone surrogate (U+DC80–U+DCFF).
   */
  readonly libxlMessage: string
  readonly diagnostics: readonly Diagnostic[]

  /** @param where the place of the first error, where it is not a character of a spec */
  constructor(diagnostics: readonly Diagnostic[], libxlMessage: string, where?: string) {
    const first = diagnostics.find(({ severity }) => severity === 'error')
    super(first === undefined ? libxlMessage.trimEnd() : summary(first, where))
    // only our own readers make one, and of their own diagnostics
    this.code = (first?.code ?? 'bad-syntax') as DiskSpecErrorCode
    this.diagnostics = diagnostics
    this.libxlMessage = libxlMessage
  }
}

const longest = 200

function summary({ message, hint, spec, start }: Diagnostic, where: string | undefined): string {
  const shown = spec.length > longest ? `${spec.slice(0, longest)}…` : spec
  const advice = hint === undefined ? '' : `: ${hint}`
  return `${message} ${where ?? `at character ${start + 1} of ${JSON.stringify(shown)}`}${advice}`
}
