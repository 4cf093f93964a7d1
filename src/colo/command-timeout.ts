/** How long a single command may take where the caller says nothing, in milliseconds. */
export const commandTimeout = 10_000
