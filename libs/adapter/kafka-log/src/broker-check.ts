import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { BrokerLink } from './broker-link.ts';
import { parseAddress } from './cluster-view.ts';
import { failureOf } from './kafka-error.ts';
import { DEFAULT_KAFKA_LOG_LIMITS, type KafkaLogOptions } from './kafka-options.ts';

/** A broker that does not answer, or does not let this client in. */
export interface BrokerProblem {
  /** `host:port`, as it was given. */
  readonly broker: string;
  readonly reason: string;
}

/**
 * Asks each of the given brokers by itself, all at once, whether it answers this client within `withinMs`: for those
 * who want to know which ones are away, and not whether the cluster as a whole can be used.
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
        late.reject(new TidemarkError('deadline_exceeded', `nothing came within ${withinMs / 1000} s`));
      });
      try {
        await Promise.race([link.features(), late.promise]);
        return undefined;
      } catch (error) {
        const reason = isTidemarkError(error) ? error : failureOf(error, `ask the broker at ${broker}`).error;
        return reason.message;
      } finally {
        timer.cancel();
        // One that is frozen does not take leave either.
        void link.close();
      }
    }),
  );
  return options.brokers.flatMap((broker, i) => {
    const reason = reasons[i];
    return reason === undefined ? [] : [{ broker, reason }];
  });
}
