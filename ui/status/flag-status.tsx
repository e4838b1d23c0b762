/**
 * The command line flags in force.
 */
import { TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { fetchFlags } from '../api/server-status.ts';
import { SearchIcon } from '../app/icons.tsx';
import { StatusFault, useStatus } from './status-answer.tsx';

export function FlagStatus(): ReactNode {
  const [search, setSearch] = useState('');
  const { data, error } = useStatus('flags', fetchFlags, false);
  const wanted = search.trim().toLowerCase();
  const shown = [...(data ?? [])].filter(([name, value]) => `${name}=${value}`.toLowerCase().includes(wanted));
  return (
    <section className="status-card" aria-label="Flags">
      <TextInput
        aria-label="Search in flags"
        placeholder="Search flags"
        size="xs"
        className="status-search"
        leftSection={<SearchIcon />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <StatusFault error={error} />
      <table className="facts facts-flags">
        <thead>
          <tr>
            <th scope="col">Flag</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(([name, value]) => (
            <tr key={name}>
              <th scope="row" className="code-cell">
                --{name}
              </th>
              <td className="code-cell">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {data !== undefined && shown.length === 0 && <p className="page-about">No flag matches.</p>}
    </section>
  );
}
