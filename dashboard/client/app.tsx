/** Which page an address shows, and what is around the pages. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Route, Switch, useLocation } from 'wouter';
import { call, callFor, Refusal } from './data/api.ts';
import { isOwner, SessionContext, useSession } from './data/session.ts';
import type { Client, Me } from './data/session.ts';
import { Loaded, Trouble } from './components/parts.tsx';
import { Rescue } from './components/rescue.tsx';
import { Forgotten, Invitation, Reset, SetUp, SignIn } from './pages/sign-in.tsx';
import { Home } from './pages/home.tsx';
import { Knowledge } from './pages/knowledge.tsx';

const Trial = lazy(() => import('./pages/trial.tsx'));
const Conversations = lazy(() => import('./pages/conversations.tsx'));
const Thread = lazy(() => import('./pages/thread.tsx'));
const Unanswered = lazy(() => import('./pages/unanswered.tsx'));
const Usage = lazy(() => import('./pages/usage.tsx'));
const Widget = lazy(() => import('./pages/widget.tsx'));
const Keys = lazy(() => import('./pages/keys.tsx'));
const Members = lazy(() => import('./pages/members.tsx'));

const CHOSEN = 'chatconnect.client';

const PAGES: [string, string][] = [
  ['/', 'Home'],
  ['/knowledge', 'Knowledge'],
  ['/try', 'Try it'],
  ['/conversations', 'Conversations'],
  ['/unanswered', 'Unanswered'],
  ['/usage', 'Usage'],
  ['/widget', 'Widget'],
];
const OWNER_PAGES: [string, string][] = [
  ['/keys', 'Keys'],
  ['/members', 'Members'],
];

export function App() {
  return (
    <Switch>
      <Route path="/setup" component={SetUp} />
      <Route path="/sign-in" component={SignIn} />
      <Route path="/forgotten" component={Forgotten} />
      <Route path="/reset" component={Reset} />
      <Route path="/invitation" component={Invitation} />
      <Route component={SignedIn} />
    </Switch>
  );
}

function SignedIn() {
  const me = useQuery({ queryKey: ['me'], queryFn: () => call<Me>('/me') });
  const [, go] = useLocation();
  const isNobody = me.error instanceof Refusal && me.error.status === 401;
  useEffect(() => {
    if (isNobody) go('/sign-in');
  }, [isNobody, go]);
  if (isNobody) return null;
  return <Loaded query={me}>{(known) => <ForClient me={known} />}</Loaded>;
}

function ForClient({ me }: { me: Me }) {
  const [chosen, setChosen] = useState(() => localStorage.getItem(CHOSEN));
  const queries = useQueryClient();
  const client = me.clients.find(({ clientId }) => clientId === chosen) ?? me.clients[0];
  callFor(client?.clientId);
  if (client === undefined) {
    return <Trouble error={new Error('You look after no business: ask an owner for an invitation.')} />;
  }
  const choose = (clientId: string) => {
    localStorage.setItem(CHOSEN, clientId);
    callFor(clientId);
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
    setChosen(clientId);
  };
  return (
    <SessionContext value={{ me, client, choose }}>
      <Frame key={client.clientId} client={client} />
    </SessionContext>
  );
}

function Frame({ client }: { client: Client }) {
  const [place] = useLocation();
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Navigation client={client} />
      <main id="main">
        <Suspense fallback={<p className="waiting">Loading…</p>}>
          <Rescue key={place}>
            <Switch>
              <Route path="/" component={Home} />
              <Route path="/knowledge" component={Knowledge} />
              <Route path="/try" component={Trial} />
              <Route path="/conversations" component={Conversations} />
              <Route path="/conversations/:session" component={Thread} />
              <Route path="/unanswered" component={Unanswered} />
              <Route path="/usage" component={Usage} />
              <Route path="/widget" component={Widget} />
              <Route path="/keys" component={Keys} />
              <Route path="/members" component={Members} />
              <Route>
                <p className="empty-title">There is no such page.</p>
              </Route>
            </Switch>
          </Rescue>
        </Suspense>
      </main>
    </div>
  );
}

function Navigation({ client }: { client: Client }) {
  const { me, choose } = useSession();
  const [place, go] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const queries = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => call('/sign-out', 'POST'),
    onSuccess: () => {
      queries.clear();
      go('/sign-in');
    },
  });
  const shown = isOwner(client) ? [...PAGES, ...OWNER_PAGES] : PAGES;
  const first = `/${place.split('/')[1] ?? ''}`;
  return (
    <header className="side">
      <div className="brand">
        <span className="logo" aria-hidden="true" />
        <strong>ChatConnect</strong>
        <button
          type="button"
          className="menu"
          aria-expanded={isOpen}
          aria-controls="pages"
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          Menu
        </button>
      </div>
      <div id="pages" className={isOpen ? 'pages open' : 'pages'}>
        {me.clients.length < 2 ? (
          <p className="client">{client.clientName}</p>
        ) : (
          <select
            aria-label="Business"
            value={client.clientId}
            onChange={(event) => {
              choose(event.target.value);
            }}
          >
            {me.clients.map((one) => (
              <option key={one.clientId} value={one.clientId}>
                {one.clientName}
              </option>
            ))}
          </select>
        )}
        <nav aria-label="Pages">
          <ul>
            {shown.map(([path, name]) => (
              <li key={path}>
                <Link
                  href={path}
                  aria-current={first === path ? 'page' : undefined}
                  onClick={() => {
                    setOpen(false);
                  }}
                >
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="who">
          <p>
            {me.name}
            <br />
            <span className="hint">
              {me.email} · {client.role}
            </span>
          </p>
          <button
            type="button"
            onClick={() => {
              signOut.mutate();
            }}
          >
            Sign out
          </button>
        </div>
      </div>
    </header>
  );
}
