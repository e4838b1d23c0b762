/**
 * Remote write inside the ingest worker: decode, append, commit, and the answer for the sender.
 */
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { Registry } from '../../core/base/metrics.ts';
import { MemoryLimitError } from '../../core/kernels/linear-memory.ts';
import type { Appender } from '../../core/storage/appender.ts';
import { RemoteWriteDecoder, RemoteWriteError } from '../../ingest/receive/remote-write.ts';
import { writeOutcome } from '../../ingest/receive/write-outcome.ts';
import type { WriteOutcome } from '../api/backend.ts';

export class RemoteWritePart {
  readonly #appender: Appender;
  readonly #decoder: RemoteWriteDecoder;
  readonly #logger: Logger;
  readonly #invalidLabels;

  constructor(appender: Appender, registry: Registry, logger: Logger) {
    this.#appender = appender;
    this.#logger = logger;
    this.#decoder = new RemoteWriteDecoder((labels) => appender.series(labels));
    this.#invalidLabels = registry.counter(
      'prometheus_api_remote_write_invalid_labels_samples_total',
      'The total number of received remote write samples and histogram samples which contain invalid labels.',
    );
    this.#invalidLabels.add(0);
  }

  /** To be called when the head has dropped series. */
  forget(): void {
    this.#decoder.forget();
  }

  /** When it returns 2xx, the samples are in the WAL. */
  take(body: Uint8Array): WriteOutcome {
    try {
      const decoded = this.#decoder.decode(body);
      const counts = this.#appender.append(decoded.columns);
      this.#appender.commit();
      this.#invalidLabels.add(decoded.invalidLabelSamples);
      for (const fault of decoded.faults) this.#logger.warn('a remote-written series was skipped', { err: fault.message, labels: fault.labels });
      return writeOutcome(decoded, counts);
    } catch (error) {
      if (error instanceof RemoteWriteError) return { status: 400, message: error.message };
      this.#logger.error('a remote write could not be stored', { err: errorMessage(error) });
      // The sender keeps what it has and tries again.
      return { status: error instanceof MemoryLimitError ? 503 : 500, message: errorMessage(error) };
    }
  }
}
