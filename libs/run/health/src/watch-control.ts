import { budgetOf, type ControlFollower } from '@tidemark/control-log';
import type { Coordinator } from '@tidemark/coordinator';
import type { ProcessHealth } from './process-health.ts';
import { unavailable } from './unavailable.ts';

/** Adds a check that `control` can be read. */
export function watchControl(health: ProcessHealth, control: Pick<ControlFollower, 'problem'>): void {
  health.watch('control', () => unavailable(control.problem));
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
