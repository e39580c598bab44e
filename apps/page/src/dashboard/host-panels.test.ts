import { expect, test } from '@jest/globals';
import { HOST_PANELS, panelLabel, panelQuery } from './host-panels.ts';

const [cpu, , , network, , disk] = HOST_PANELS;

test('a panel has one query for all its lines', () => {
  expect(panelQuery({ ...cpu, metrics: ['a', 'b'] }, '')).toBe('avg:a{*}, avg:b{*}');
  expect(panelQuery(disk, 'web 1')).toBe('avg:system.disk.in_use{"host:web 1"} by {device_name}');
});

test('the label of a line has only what the title of the panel does not have', () => {
  const series = (metric: string, tags: string[]) => ({
    metric,
    tags,
    scope: '*',
    expression: '',
    intervalMs: 1,
    points: [],
    completeSteps: 0,
    unit: undefined,
  });
  expect(panelLabel(cpu, series('system.cpu.user', []))).toBe('user');
  expect(panelLabel(network, series('system.net.bytes_rcvd', ['device_name:eth0']))).toBe('eth0 in');
  expect(panelLabel(disk, series('system.disk.in_use', ['device_name:vda1']))).toBe('vda1');
});
