import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { BrokerLink } from './broker-link.ts';
import { parseAddress } from './cluster-view.ts';
import { failureOf } from './kafka-error.ts';
import { DEFAULT_KAFKA_LOG_LIMITS, type KafkaLogOptions } from './kafka-options.ts';

/** A broker that does not answer, or refuses this client. */
export interface BrokerProblem {
  /** The address as configured, `host:port`. */
  readonly broker: string;
  readonly reason: string;
}

/**
 * Checks each of the given brokers separately, in parallel: whether it answers this client within `withinMs`. The
 * result says which brokers are unreachable, and not whether the cluster as a whole can be used.
 */
export async function brokerProblems(
  options: KafkaLogOptions,
  { clock }: { readonly clock: Clock },
  withinMs: number,
): Promise<readonly BrokerProblem[]> {
  const limits = {
    ...DEFAULT_KAFKA_LOG_LIMITS,
    ...options.limits,
    ...{ connectMs: withinMs, requestMs: withinMs, retryMs: 0 },
  };
  const reasons = await Promise.all(
    options.brokers.map(async (broker) => {
      const link = new BrokerLink(parseAddress(broker), options, limits, clock);
      const late = Promise.withResolvers<never>();
      const timer = clock.setTimer(withinMs, () => {
        late.reject(new TidemarkError('deadline_exceeded', `no response within ${withinMs / 1000} s`));
      });
      try {
        await Promise.race([link.features(), late.promise]);
        return undefined;
      } catch (error) {
        const reason = isTidemarkError(error) ? error : failureOf(error, `query the broker at ${broker}`).error;
        return reason.message;
      } finally {
        timer.cancel();
        // A frozen broker does not answer the close either: do not wait.
        void link.close();
      }
    }),
  );
  return options.brokers.flatMap((broker, i) => {
    const reason = reasons[i];
    return reason === undefined ? [] : [{ broker, reason }];
  });
}
