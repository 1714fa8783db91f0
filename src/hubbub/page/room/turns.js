// How a chat's turn ends, as its events tell.

/** Kinds of the events of which each turn has one, its last. */
export const ENDS = new Set(["chat.final", "chat.error", "chat.aborted"]);
