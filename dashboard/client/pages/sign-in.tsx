/** What is there before somebody is signed in. Tokens of links are in the fragment, which no server's log has. */
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useLocation } from 'wouter';
import { call } from '../data/api.ts';
import { Input, Loaded, Page, Trouble } from '../components/parts.tsx';

const HINT = 'At least 10 characters.';

/** A form that signs in. */
function Gate({
  title,
  path,
  body,
  button,
  children,
}: {
  title: string;
  path: string;
  body: object;
  button: string;
  children: ReactNode;
}) {
  const [, go] = useLocation();
  const queries = useQueryClient();
  const entering = useMutation({
    mutationFn: () => call(path, 'POST', body),
    onSuccess: () => {
      queries.clear();
      go('/');
    },
  });
  return (
    <main className="gate">
      <Page title={title}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            entering.mutate();
          }}
        >
          {children}
          <Trouble error={entering.error} />
          <button type="submit" className="main" disabled={entering.isPending}>
            {button}
          </button>
        </form>
      </Page>
    </main>
  );
}

export function SignIn() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  return (
    <Gate title="Sign in" path="/sign-in" body={{ email, password }} button="Sign in">
      <Input label="E-mail" type="email" autoComplete="username" required value={email} onValue={setEmail} />
      <Input
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onValue={setPassword}
      />
      <p>
        <Link href="/forgotten">I forgot my password</Link>
      </p>
    </Gate>
  );
}

export function SetUp() {
  const [token] = useState(fragment);
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  return (
    <Gate title="Make the first account" path="/setup" body={{ token, name, email, password }} button="Start">
      <p>You will own this ChatConnect, and can invite others.</p>
      <Input label="Your name" autoComplete="name" required value={name} onValue={setName} />
      <Input label="E-mail" type="email" autoComplete="username" required value={email} onValue={setEmail} />
      <NewPassword value={password} onValue={setPassword} />
    </Gate>
  );
}

export function Reset() {
  const [token] = useState(fragment);
  const [password, setPassword] = useState('');
  return (
    <Gate title="Choose a new password" path="/password/reset" body={{ token, password }} button="Save and sign in">
      <NewPassword value={password} onValue={setPassword} />
    </Gate>
  );
}

export function Invitation() {
  const [token] = useState(fragment);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const found = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => call<{ email: string; hasAccount: boolean }>(`/invitations/${encodeURIComponent(token)}`),
  });
  const body = { token, password, ...(name === '' ? {} : { name }) };
  return (
    <Loaded query={found}>
      {({ email, hasAccount }) => (
        <Gate title="You are invited" path="/invitations/accept" body={body} button="Accept">
          <p>
            The invitation is for {email}. {hasAccount ? 'Sign in with your password to accept it.' : ''}
          </p>
          {hasAccount ? null : <Input label="Your name" autoComplete="name" required value={name} onValue={setName} />}
          {hasAccount ? (
            <Input
              label="Password"
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onValue={setPassword}
            />
          ) : (
            <NewPassword value={password} onValue={setPassword} />
          )}
        </Gate>
      )}
    </Loaded>
  );
}

export function Forgotten() {
  const [email, setEmail] = useState('');
  const asking = useMutation({ mutationFn: () => call<{ detail: string }>('/password/forgot', 'POST', { email }) });
  return (
    <main className="gate">
      <Page title="I forgot my password">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            asking.mutate();
          }}
        >
          <Input label="E-mail" type="email" autoComplete="username" required value={email} onValue={setEmail} />
          <Trouble error={asking.error} />
          {asking.data === undefined ? null : <p role="status">{asking.data.detail}</p>}
          <button type="submit" className="main" disabled={asking.isPending}>
            Send me a link
          </button>
          <p>
            <Link href="/sign-in">Back</Link>
          </p>
        </form>
      </Page>
    </main>
  );
}

function NewPassword({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  return (
    <Input
      label="Password"
      hint={HINT}
      type="password"
      autoComplete="new-password"
      minLength={10}
      required
      value={value}
      onValue={onValue}
    />
  );
}

const fragment = (): string => location.hash.slice(1);
