/**
 * What commands say when they can't do what they are asked; each message stands for itself.
 */

/** No answer of a server, or one that says what was wrong. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** A folder that can't be used as one of data. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/** More is piped in than a command takes. */
export class InputTooLargeError extends Error {
  override readonly name = 'InputTooLargeError';
}

/** Samples that can't become blocks. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}
