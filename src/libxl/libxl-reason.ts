import type { DeviceDisk } from './device-disk.js'

/**
 * Why a disk is refused, and the number with which libxl refuses it for that (`libxl_error` of libxl_types.idl):
 * -3 ERROR_FAIL, -6 ERROR_INVAL, -9 ERROR_TIMEDOUT, -15 ERROR_LOCK_FAIL, -16 ERROR_JSON_CONFIG_EMPTY, -17 ERROR_DEVICE_EXISTS, -22 ERROR_ABORTED. docs/errors.md explains each.
 */
export const rcByReason = {
  // the record
  'vdev-invalid': -6,
  'json-invalid': -3,
  'virtio-transport': -6,
  'virtio-hotplug': -3,
  'virtio-hotunplug': -3,
  'cdrom-backend': -3,
  'disk-empty': -6,
  'disk-empty-with-image': -6,
  'target-missing': -6,
  'image-unusable': -6,
  'backend-unsuitable': -6,
  'backend-domain-unknown': -6,
  'backend-domain-invalid': -6,
  // the guest
  'domain-missing': -3,
  'domain-type-unknown': -3,
  'device-model-missing': -3,
  // a device in the store
  'device-exists': -17,
  'device-missing': -3,
  'device-ambiguous': -6,
  'device-kinds-mixed': -6,
  'device-changed': -3,
  'node-missing': -3,
  'node-invalid': -3,
  'link-invalid': -3,
  'link-foreign': -3,
  'store-refused': -3,
  'store-layout': -3,
  'store-failed': -3,
  // libxl's lock and file of a domain
  'lock-timeout': -9,
  'lock-failed': -15,
  'configuration-missing': -16,
  'configuration-invalid': -3,
  'configuration-unreadable': -3,
  'configuration-unwritable': -3,
  // its backend
  'backend-failed': -3,
  'backend-gone': -6,
  'backend-timeout': -9,
  'script-failed': -3,
  'script-invalid': -3,
  'script-timeout': -9,
  'empty-cdrom': -3,
  'detach-timeout': -9,
  // QEMU's arguments
  'read-only': -6,
  'slot-taken': -6,
  'argument-text': -6,
  'dialect-unsupported': -6,
  'node-name-long': -6,
  // a COLO disk that would not be replicated
  'colo-guest': -6,
  'colo-cdrom': -6,
  'colo-read-only': -6,
  'colo-backend': -6,
  'colo-place': -6,
  'colo-missing-key': -6,
  'colo-port-range': -6,
  'colo-different-secondary': -6,
  'colo-export-id': -6,
  'colo-export-taken': -6,
  // the caller
  aborted: -22,
} as const satisfies Record<string, -3 | -6 | -9 | -15 | -16 | -17 | -22>

/** The field of the record that a refusal is about, where it is always the same one. */
export const fieldByReason: { readonly [Reason in LibxlReason]?: keyof DeviceDisk } = {
  'vdev-invalid': 'vdev',
  'virtio-transport': 'transport',
  'virtio-hotplug': 'specification',
  'virtio-hotunplug': 'specification',
  'cdrom-backend': 'backend',
  'disk-empty': 'format',
  'disk-empty-with-image': 'pdevPath',
  'target-missing': 'pdevPath',
  'image-unusable': 'pdevPath',
  'backend-unsuitable': 'backend',
  'backend-domain-unknown': 'backendDomname',
  'backend-domain-invalid': 'backendDomid',
  'device-exists': 'vdev',
  'device-missing': 'vdev',
  'empty-cdrom': 'pdevPath',
  'script-failed': 'script',
  'script-invalid': 'script',
  'script-timeout': 'script',
  'read-only': 'readwrite',
  'slot-taken': 'vdev',
  'node-name-long': 'coloExport',
  'colo-cdrom': 'isCdrom',
  'colo-read-only': 'readwrite',
  'colo-backend': 'backend',
  'colo-place': 'vdev',
  'colo-port-range': 'coloPort',
  'colo-export-id': 'coloExport',
  'colo-export-taken': 'coloExport',
}

/** Why a disk is refused, for a program. */
export type LibxlReason = keyof typeof rcByReason
