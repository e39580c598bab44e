import { budgetOf, type ControlFollower } from '@tidemark/control-log';
import type { Coordinator } from '@tidemark/coordinator';
import type { ProcessCondition } from './process-condition.ts';
import { unavailable } from './unavailable.ts';

/** From now on looks at whether `control` can be read. */
export function watchControl(condition: ProcessCondition, control: Pick<ControlFollower, 'problem'>): void {
  condition.watch('control', () => unavailable(control.problem));
}

/** From now on looks at a coordinator, and at the budgets that it found used up. */
export function watchCoordinator(
  condition: ProcessCondition,
  coordinator: Pick<Coordinator, 'problem'>,
  { state }: Pick<ControlFollower, 'state'>,
): void {
  condition.watch('coordinator', () => unavailable(coordinator.problem));
  condition.watchParts('budget', () => {
    const causes = [...state.overBudget].map(([key, limit]) => {
      const { tenant, metric } = budgetOf(key);
      const whose = metric === '' ? `tenant ${tenant}` : `metric ${metric} of tenant ${tenant}`;
      const message = `${whose} has used up its budget of ${limit} series`;
      return [whose, { code: 'resource_exhausted', message }] as const;
    });
    return new Map(causes);
  });
}
