export { buildDiskArgs, type DiskArgs } from './build-disk-args.js'
export type { DiskArgsOptions } from './disk-args-options.js'
