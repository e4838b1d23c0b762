import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '../../core/base/metrics.ts';
import { familyJson } from './self-metrics-json.ts';

const label = (name: string, value: string): object => ({ name, value });

test('each type has its form', () => {
  const registry = new Registry();
  const counter = registry.counter('a_total', 'A.');
  counter.add(2, { z: '1', b: '2' });
  counter.add(1);
  registry.gauge('b', 'B.').set(Number.NaN);
  const histogram = registry.histogram('c', 'C.', [0.5, 1]);
  histogram.record(0.5, { h: 'x' });
  histogram.record(7, { h: 'x' });
  histogram.record(1);
  registry.summary('d', 'D.', [0.5]).record(3);
  assert.deepEqual(registry.snapshot().map(familyJson), [
    {
      name: 'a_total',
      help: 'A.',
      type: 'COUNTER',
      metric: [
        { label: [label('b', '2'), label('z', '1')], counter: { value: 2 } },
        { label: [], counter: { value: 1 } },
      ],
    },
    { name: 'b', help: 'B.', type: 'GAUGE', metric: [{ label: [], gauge: { value: 'NaN' } }] },
    {
      name: 'c',
      help: 'C.',
      type: 'HISTOGRAM',
      metric: [
        {
          label: [label('h', 'x')],
          histogram: {
            sampleCount: '2',
            sampleSum: 7.5,
            bucket: [
              { cumulativeCount: '1', upperBound: 0.5 },
              { cumulativeCount: '1', upperBound: 1 },
            ],
          },
        },
        {
          label: [],
          histogram: {
            sampleCount: '1',
            sampleSum: 1,
            bucket: [
              { cumulativeCount: '0', upperBound: 0.5 },
              { cumulativeCount: '1', upperBound: 1 },
            ],
          },
        },
      ],
    },
    {
      name: 'd',
      help: 'D.',
      type: 'SUMMARY',
      metric: [{ label: [], summary: { sampleCount: '1', sampleSum: 3, quantile: [{ quantile: 0.5, value: 3 }] } }],
    },
  ]);
});
