/** Largest message of a call, a reply or a feed, in UTF-16 units; 10,000 submissions fit easily. */
export const maxTextLength = 32 * 1024 * 1024;

/** Largest payload of one byte frame. Small enough that streams on one connection take turns. */
export const maxPayloadBytes = 64 * 1024;

/**
 * Bytes a stream may have under way that its reader has not consumed yet. Large enough to fill a
 * link of 100 MB/s at 2 ms, small enough that a hundred streams hold 25 MB at most.
 */
export const streamWindowBytes = 256 * 1024;

/** Items a feed may have under way that its reader has not consumed yet. */
export const feedWindowItems = 16;

/** Calls and feeds one connection may have open; a full window of pages needs a few dozen. */
export const maxOpenCalls = 1024;

/** Byte streams one connection may have open. */
export const maxOpenStreams = 256;
