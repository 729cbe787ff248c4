/** Who looks after this business, and what they changed. */
import { useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Card, Copied, Input, Loaded, Page, Select, Trouble } from '../components/parts.tsx';
import { call } from '../data/api.ts';
import { dateTime } from '../data/settings.ts';

const ROLES: [string, string][] = [
  ['viewer', 'viewer: sees everything'],
  ['editor', 'editor: documents and the widget'],
  ['owner', 'owner: keys, sites and members'],
];

interface MembersAnswer {
  members: { userId: string; email: string; name: string; role: string }[];
  invited: { email: string; role: string; expiresAt: string }[];
}

export default function Members() {
  const query = useQuery({ queryKey: ['members'], queryFn: () => call<MembersAnswer>('/members') });
  const remove = useMutation({ mutationFn: (path: string) => call(path, 'DELETE') });
  const change = useMutation({
    mutationFn: ({ userId, role }: { userId: string; role: string }) => call(`/members/${userId}`, 'PUT', { role }),
  });
  return (
    <Page title="Members">
      <Invite />
      <Trouble error={remove.error ?? change.error} />
      <Loaded query={query}>
        {({ members, invited }) => (
          <Card title="Members">
            <ul className="documents">
              {members.map((one) => (
                <li key={one.userId} className="row">
                  <div>
                    <strong>{one.name}</strong>
                    <span className="hint">{one.email}</span>
                  </div>
                  <div className="buttons">
                    <select
                      aria-label={`Role of ${one.name}`}
                      value={one.role}
                      onChange={(event) => {
                        change.mutate({ userId: one.userId, role: event.target.value });
                      }}
                    >
                      {ROLES.map(([role]) => (
                        <option key={role}>{role}</option>
                      ))}
                    </select>
                    <button
                      type="button"
                      onClick={() => {
                        remove.mutate(`/members/${one.userId}`);
                      }}
                    >
                      Remove<span className="unseen"> {one.name}</span>
                    </button>
                  </div>
                </li>
              ))}
              {invited.map(({ email, role, expiresAt }) => (
                <li key={email} className="row">
                  <div>
                    <strong>{email}</strong>
                    <span className="hint">
                      invited as {role}, until {dateTime(expiresAt)}
                    </span>
                  </div>
                  <button
                    type="button"
                    onClick={() => {
                      remove.mutate(`/invitations/${encodeURIComponent(email)}`);
                    }}
                  >
                    Withdraw<span className="unseen"> the invitation of {email}</span>
                  </button>
                </li>
              ))}
            </ul>
          </Card>
        )}
      </Loaded>
      <Audit />
    </Page>
  );
}

function Invite() {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('editor');
  const inviting = useMutation({
    mutationFn: () => call<{ link: string }>('/invitations', 'POST', { email, role }),
    onSuccess: () => {
      setEmail('');
    },
  });
  return (
    <Card title="Invite somebody">
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          inviting.mutate();
        }}
      >
        <Input label="E-mail" type="email" required value={email} onValue={setEmail} />
        <Select label="Role" value={role} onValue={setRole} options={ROLES} />
        <button type="submit" className="main" disabled={inviting.isPending}>
          Invite
        </button>
      </form>
      <Trouble error={inviting.error} />
      {inviting.data === undefined ? null : (
        <>
          <p role="status">A mail is on its way. You may also send this link; it works once, for seven days.</p>
          <Copied label="The link" text={inviting.data.link} />
        </>
      )}
    </Card>
  );
}

interface Entry {
  email: string;
  action: string;
  subject: string;
  at: string;
}

function Audit() {
  const query = useQuery({
    queryKey: ['audit'],
    queryFn: async () => (await call<{ entries: Entry[] }>('/audit')).entries,
  });
  return (
    <Card title="What was changed">
      <Loaded query={query}>
        {(entries) =>
          entries.length === 0 ? (
            <p className="hint">Nothing yet.</p>
          ) : (
            <ul className="plain-list">
              {entries.map((one) => (
                <li key={`${one.at} ${one.action} ${one.subject}`}>
                  {dateTime(one.at)} · {one.email}: {one.action} <span className="hint">{one.subject}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
