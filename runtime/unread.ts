/** Bodies that are not read. */

/**
 * Cancels a body that is not read, or the rest of its connection would wait for a reader. One that
 * is being read is its reader's to end; one that broke has nothing left to cancel, so its error is
 * not thrown again.
 */
export async function cancelUnread(
  body: ReadableStream<unknown> | Uint8Array | null | undefined,
  reason?: unknown,
): Promise<void> {
  if (!body || body instanceof Uint8Array || body.locked) return;
  await body.cancel(reason).catch(() => {});
}
