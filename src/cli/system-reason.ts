/** strerror of glibc, for what can befall a path or a stream. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EFBIG: 'File too large',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENXIO: 'No such device or address',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  return reasons[code] ?? (code || String(error))
}
