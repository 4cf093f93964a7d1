/** How long a single command of QEMU's may take, in milliseconds. */
export const commandTimeout = 10_000
