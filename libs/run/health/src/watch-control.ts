import { budgetOf, type ControlFollower } from '@tidemark/control-log';
import type { Coordinator } from '@tidemark/coordinator';
import type { ProcessHealth } from './process-health.ts';
import { unavailable } from './unavailable.ts';

/** Adds checks that `control` can be read, and that it has lost no records that no operator has passed. */
export function watchControl(health: ProcessHealth, control: Pick<ControlFollower, 'problem' | 'state'>): void {
  health.watch('control', () => unavailable(control.problem));
  health.watchParts('control-lost', () => {
    const causes = control.state.unknownLosses.map(({ offset, reason }) => {
      return [`offset ${offset}`, { code: 'data_loss', message: reason }] as const;
    });
    return new Map(causes);
  });
}

/** Adds checks of a coordinator and of the budgets that it found used up. */
export function watchCoordinator(
  health: ProcessHealth,
  coordinator: Pick<Coordinator, 'problem'>,
  { state }: Pick<ControlFollower, 'state'>,
): void {
  health.watch('coordinator', () => unavailable(coordinator.problem));
  health.watchParts('budget', () => {
    const causes = [...state.overBudget].map(([key, limit]) => {
      const { tenant, metric } = budgetOf(key);
      const whose = metric === '' ? `tenant ${tenant}` : `metric ${metric} of tenant ${tenant}`;
      const message = `${whose} has used up its budget of ${limit} series`;
      return [whose, { code: 'resource_exhausted', message }] as const;
    });
    return new Map(causes);
  });
}
