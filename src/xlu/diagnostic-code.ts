import type { LibxlErrorCode } from '../libxl/libxl-error.js'

/** The codes of all diagnostics, by what gives them; docs/diagnostics.md explains each. */
export const diagnosticCodes = {
  /** A spec that libxlutil refuses. */
  spec: [
    ...['unknown-value', 'unknown-parameter', 'bad-syntax', 'unknown-prefix'],
    ...['respecified', 'too-many-positional', 'no-vdev', 'no-target'],
  ],
  /** A spec for which libxlutil has no answer. */
  unreadable: ['nul-byte', 'too-many-errors'],
  /** What libxl takes in silence. */
  lint: [
    ...['deprecated-prefix', 'stray-equals', 'unknown-vdev', 'path-comma', 'path-control', 'format-mismatch'],
    'network-target',
    ...['cdrom-access', 'colo-missing-key', 'colo-key-without-colo', 'colo-port-junk', 'colo-port-range'],
    ...['colo-backend', 'colo-read-only', 'colo-cdrom', 'colo-export-id', 'colo-same-disk'],
    ...['duplicate-vdev', 'duplicate-devid', 'colo-different-secondary'],
  ],
  /** A configuration file that libxlutil refuses, or gives up on. */
  config: [
    ...['config-syntax', 'config-lexical', 'config-escape', 'config-mixed-addition'],
    ...['config-nul', 'config-too-deep', 'config-too-large'],
  ],
  /** What libxlutil takes in silence in a configuration file. */
  configLint: ['config-lost-escape', 'config-stray-end', 'config-disk-no-list', 'config-disk-nested'],
  /** A record that no spec gives. */
  format: ['unwritable-text', 'unwritable-value', 'unwritable-field'],
  /** Of the command. */
  command: [
    ...['not-emulated', 'qemu-refuses', 'config-guest', 'config-value', 'line-feed', 'too-long', 'too-large'],
    ...['not-protectable', 'left-unprotected'],
  ],
} as const satisfies Record<string, readonly string[]>

type Codes<Kind extends keyof typeof diagnosticCodes> = (typeof diagnosticCodes)[Kind][number]

/** What libxlutil complains of in a spec. */
export type RefusalCode = Codes<'spec'>
/** What a spec is refused for; under `strict` also what libxl takes in silence. */
export type DiskSpecErrorCode = Codes<'spec' | 'unreadable' | 'lint'>
/** What a configuration file is refused for; under `strict` also what libxlutil takes in silence. */
export type ConfigSyntaxErrorCode = Codes<'config' | 'configLint'>
/** Why no spec gives a record. */
export type DiskFormatErrorCode = Codes<'format'>
/** The kind of a diagnostic: one of ours, or libxl's name of the number with which it refuses a disk. */
export type DiagnosticCode = Codes<keyof typeof diagnosticCodes> | LibxlErrorCode
