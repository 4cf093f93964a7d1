export type { ArgumentErrorCode } from './check-argument.js'
export type { DiskTarget } from './libxl/choose-backend.js'
export { DeviceDisk, DiskBackend, DiskFormat, DiskSpecification, DiskTransport } from './libxl/device-disk.js'
export { diskFromNodes, type FromNodesOptions } from './libxl/disk-from-nodes.js'
export { DiskJsonError } from './libxl/disk-json-error.js'
export { diskToNodes, type NodesContext, type XenstoreNode } from './libxl/disk-to-nodes.js'
export { type FromLibxlJsonOptions, fromLibxlJson } from './libxl/from-libxl-json.js'
export { LibxlError, type LibxlErrorCode, type LibxlErrorDetails, type LibxlRc } from './libxl/libxl-error.js'
export type { LibxlReason } from './libxl/libxl-reason.js'
export { type DiskContext, type ResolveContext, resolveDisk } from './libxl/resolve-disk.js'
export { resolveDiskOnHost } from './libxl/resolve-disk-on-host.js'
export type { DomainType, ResolvedDisk } from './libxl/resolved-disk.js'
export { addDisk } from './libxl/store/add-disk.js'
export type { AddDiskOptions, AttachTimeouts } from './libxl/store/add-disk-options.js'
export { type AttachedDisk, addDisks } from './libxl/store/add-disks.js'
export { AttachError, type AttachFailure } from './libxl/store/attach-error.js'
export type { DiskDevice } from './libxl/store/disk-device.js'
export type { DiskDifference } from './libxl/store/disk-difference.js'
export type { DiskEvent } from './libxl/store/disk-event.js'
export { type DiskEventsOptions, diskEvents } from './libxl/store/disk-events.js'
export type { DiskHost, ScriptCall, ScriptOutcome } from './libxl/store/disk-host.js'
export {
  type EnsureDisksOptions,
  type EnsuredDisk,
  type EnsuredDisks,
  ensureDisks,
  type UnwantedDisk,
} from './libxl/store/ensure-disks.js'
export { getDisk, type ReadDiskOptions } from './libxl/store/get-disk.js'
export { type ListedDisk, listDisks } from './libxl/store/list-disks.js'
export { nodeHost } from './libxl/store/node-host.js'
export type { RemovedDevice, RemoveTimeouts } from './libxl/store/remove-device.js'
export { type RemovedDisk, removeDisk } from './libxl/store/remove-disk.js'
export type { RemoveDiskOptions } from './libxl/store/remove-disk-options.js'
export type { LeftDevice, RollBack } from './libxl/store/roll-back.js'
export { toLibxlJson } from './libxl/to-libxl-json.js'
export type { DomainIdentity, LockedUserdata, LockUserdata } from './libxl/userdata/domain-userdata.js'
export type { LockOptions } from './libxl/userdata/flock.js'
export { formatVdev, parseVdev, type Vdev } from './libxl/vdev.js'
export { XenlightError } from './xenlight-error.js'
export { type Config, type ConfigDiskSpec, ConfigValueError, type ConfigValueErrorCode } from './xlu/config.js'
export {
  type ConfigDisk,
  type ConfigDisksOptions,
  type ConfigDisksResult,
  parseConfigDisks,
} from './xlu/config-disks.js'
export type { ConfigPlace } from './xlu/config-place.js'
export type { ConfigItem } from './xlu/config-value.js'
export type { Diagnostic, Note, Span } from './xlu/diagnostic.js'
export type {
  ConfigSyntaxErrorCode,
  DiagnosticCode,
  DiskFormatErrorCode,
  DiskSpecErrorCode,
} from './xlu/diagnostic-code.js'
export { DiskSpecError } from './xlu/disk-spec-error.js'
export { type FormatDiagnosticOptions, formatDiagnostic } from './xlu/format-diagnostic.js'
export { DiskFormatError, formatDisk } from './xlu/format-disk.js'
export type { TextPosition } from './xlu/line-index.js'
export {
  ConfigSyntaxError,
  type ParseConfigOptions,
  type ParseConfigResult,
  parseConfig,
  safeParseConfig,
} from './xlu/parse-config.js'
export { type ParseDiskOptions, parseDisk, type SafeParseDiskResult, safeParseDisk } from './xlu/parse-disk.js'
