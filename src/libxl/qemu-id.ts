/** Whether QEMU takes a text for the id of a drive (`id_wellformed`): a letter, then letters, digits, "-", ".", "_". */
export const isQemuId = (text: string): boolean => /^[A-Za-z][-A-Za-z0-9._]*$/.test(text)
