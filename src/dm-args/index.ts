export { buildDiskArgs, type DiskArgs, type DiskArgsOptions } from './build-disk-args.js'
