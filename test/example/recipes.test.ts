import { readdirSync, readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'chai';
import supertest from 'supertest';
import { parse, parseAllDocuments } from 'yaml';
import { Agent } from 'undici';
import { DETACHED_MS } from '#lib/delivery/channel-contract.js';
import { READY_TIMEOUT_MS } from '#lib/hook/readiness.js';
import { GRACE_MS, LAST_CONNECTION_MS } from '../../example/stop.js';
import { readEnvironment } from '../../example/environment.js';
import { createGateway, type Gateway } from '../../example/gateway.js';
import { manifest, ROOT } from '#harness/consumer.js';
import { BOB, commandOf, startScene } from '#harness/scene.js';
import { witness } from '#harness/witness.js';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const deployed = (file: string): string => read(`example/deploy/${file}`);

/** As much of a compose file as is looked at. */
interface ComposeService {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly stop_grace_period?: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
}

/** As much of a probe of Kubernetes as is looked at. */
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

/** As much of a container of Kubernetes as is looked at. */
interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly securityContext: object;
}

interface Deployment {
  readonly replicas: number;
  readonly selector: { readonly matchLabels: object };
  readonly template: {
    readonly metadata: { readonly labels: object };
    readonly spec: {
      readonly terminationGracePeriodSeconds: number;
      readonly securityContext: object;
      readonly topologySpreadConstraints: readonly { readonly labelSelector: { matchLabels: object } }[];
      readonly containers: readonly [Container];
    };
  };
}

const { services, networks } = parse(deployed('compose.yaml')) as {
  readonly services: { readonly gateway: ComposeService; readonly redis: ComposeService };
  readonly networks: { readonly state: object };
};
const resources = parseAllDocuments(deployed('kubernetes.yaml')).map(
  (document) => document.toJS() as { readonly kind: string; readonly spec: unknown },
);
const specOf = (kind: string): unknown => resources.find((resource) => resource.kind === kind)?.spec;
const deployment = specOf('Deployment') as Deployment;
const pod = deployment.template.spec;
const [container] = pod.containers;

/** Every variable that the example reads. */
function namesRead(): ReadonlySet<string> {
  const names = new Set<string>();
  readEnvironment(
    new Proxy<Record<string, string | undefined>>(
      {},
      {
        get: (_target, name) => {
          names.add(String(name));
          return undefined;
        },
      },
    ),
  );
  return names;
}

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** What a deployment fills in. */
const FILLED_IN: Readonly<Record<string, string>> = {
  OKTA_ORG_URL: 'https://acme.okta.com',
  OKTA_API_TOKEN: 'token-of-the-org',
  HOOK_SECRET: 'secret-of-the-hook',
  OIDC_CLIENT_ID: '0oa0000000000000001',
  OIDC_CLIENT_SECRET: 'secret-of-the-app',
  OIDC_REDIRECT_URI: 'https://id.acme.com/login/callback',
  SESSION_SECRET: 's'.repeat(32),
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_API_KEY_SID: `SK${'0'.repeat(32)}`,
  TWILIO_API_KEY_SECRET: 'secret-of-the-key',
  TWILIO_AUTH_TOKEN: 'token-of-the-account',
  TWILIO_SMS_FROM: '+12025550100',
};

/** What the gateway would start on, but for the state, which another test is about. */
function expectToStart(variables: Readonly<Record<string, string>>): void {
  const own = Object.entries(variables).filter(([name]) => !/^(REDIS|STATE)_/.test(name));
  const environment = readEnvironment({ ...Object.fromEntries(own), NODE_ENV: 'production' });
  expect(environment.kind).to.equal('real');
  if (environment.kind !== 'real') return;
  const gateway = createGateway({ hook: environment.options, login: environment.login });
  void gateway.hook.close();
}

const graceSeconds = GRACE_MS / 1000;
/** The most that the gateway takes from SIGTERM to its end, if each of its steps takes as long as it may. */
const longestDrainSeconds =
  graceSeconds +
  // Twice the last: of the state, and of the connections to the vendors.
  (LAST_CONNECTION_MS + DETACHED_MS + 2 * READY_TIMEOUT_MS) / 1000;

describe('the recipes', () => {
  let gateway: Gateway;
  before(() => {
    const environment = readEnvironment(FILLED_IN);
    if (environment.kind !== 'real') expect.fail('the usual variables do not do');
    const logger = { info: witness, warn: witness, error: witness };
    gateway = createGateway({
      hook: { ...environment.options, logger },
    });
  });
  after(() => gateway.hook.close());

  describe('for Docker Compose', () => {
    const { environment } = services.gateway;

    it('sets variables that the example reads, and those without which it does not start', () => {
      expect(Object.keys(environment).filter((name) => !namesRead().has(name))).to.deep.equal([]);
      // As compose fills them in: what may be missing is empty then.
      const filled = Object.entries(environment).map(([name, text]) => {
        const [, wanted = '', isRequired] = /^\$\{(\w+):(?:(\?)|-)\}$/.exec(text) ?? [];
        if (name === 'REDIS_URL') return [name, text];
        expect(wanted, text).to.equal(name);
        return [name, isRequired === '?' ? (FILLED_IN[name] ?? `${name} is required`) : FILLED_IN[name]];
      });
      const all = Object.fromEntries(filled) as Record<string, string>;
      expectToStart(all);
    });

    it('names in the file to fill in each variable that it takes, and no other', () => {
      const taken = new Set([...deployed('compose.yaml').matchAll(/\$\{(\w+):/g)].map(([, name]) => name));
      const named = [...deployed('gateway.env.example').matchAll(/^(\w+)=(.*)$/gm)];
      expect(named.map(([, name]) => name)).to.have.members([...taken]);
      for (const [line, , value] of named) expect(value, line).to.equal('');
    });

    it('leads to the port that the image opens, of this host only', () => {
      const [, exposed] = /^EXPOSE (\d+)$/m.exec(read('example/Dockerfile')) ?? [];
      expect(readEnvironment({})).to.include({ port: Number(exposed) });
      expect(services.gateway.ports).to.deep.equal([`127.0.0.1:${exposed ?? ''}:${exposed ?? ''}`]);
    });

    it('reaches Redis, which nobody else does, and which pushes nothing out', () => {
      const { redis } = services;
      expect(environment['REDIS_URL']).to.equal('redis://:${REDIS_PASSWORD:?}@redis:6379');
      expect(redis).not.to.have.property('ports');
      expect(networks.state).to.deep.equal({ internal: true });
      expect(redis.networks).to.deep.equal(['state']);
      expect(services.gateway.networks).to.include('state');
      const script = redis.command?.at(-1) ?? '';
      for (const line of ['maxmemory-policy noeviction', 'appendonly yes', 'requirepass $$REDISCLI_AUTH']) {
        expect(script.split('\n')).to.include(line);
      }
      expect(script).to.match(/^maxmemory \d+mb$/m);
      // What users said is there after a restart.
      const [, folder = ''] = /^dir (\S+)$/m.exec(script) ?? [];
      expect(redis).to.deep.include({ volumes: [`redis:${folder}`] });
    });

    it('takes from both what they do not need', () => {
      for (const service of [services.gateway, services.redis]) {
        expect(service).to.deep.include({ read_only: true, cap_drop: ['ALL'], restart: 'unless-stopped' });
        expect(service).to.deep.include({ security_opt: ['no-new-privileges:true'] });
      }
      expect(services.redis).to.include({ user: 'redis' });
      expect(read('example/Dockerfile')).to.match(/^USER node$/m);
    });

    it('waits for the longest drain, as the command in the Dockerfile does', () => {
      expect(Number.parseInt(services.gateway.stop_grace_period ?? '', 10)).to.be.above(longestDrainSeconds);
      const [, told] = /--stop-timeout (\d+)/.exec(read('example/Dockerfile')) ?? [];
      expect(Number(told)).to.be.above(longestDrainSeconds);
    });

    it('has in its image what the example and the library load', () => {
      const [, list = ''] = /for \(const name of \[(.*?)\]\)/.exec(read('example/Dockerfile')) ?? [];
      const kept = [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name);
      expect(kept).to.include.members([
        'iron-session',
        'openid-client',
        ...Object.keys(manifest.peerDependencies),
      ]);
    });

    it('is asked whether it lives where the gateway answers', async () => {
      const [, path = ''] = /^HEALTHCHECK .*\}(\/[\w/]+)`/m.exec(read('example/Dockerfile')) ?? [];
      await supertest(gateway.app).get(path).expect(200);
    });
  });

  describe('for Kubernetes', () => {
    it('sets variables that the example reads, and those without which it does not start', () => {
      expect(container.env.map(({ name }) => name).filter((name) => !namesRead().has(name))).to.deep.equal(
        [],
      );
      const values = container.env.map(({ name, value, valueFrom }) => {
        if (value !== undefined) return [name, value];
        expect(valueFrom?.secretKeyRef).to.deep.equal({ name: 'okta-telephony-gateway', key: name });
        return [name, name === 'OKTA_PRIVATE_KEY' ? privateKey : (FILLED_IN[name] ?? '')];
      });
      expectToStart(Object.fromEntries(values) as Record<string, string>);
    });

    it('keeps in the Secret what is one', () => {
      const open = container.env.filter(({ value }) => value !== undefined).map(({ name }) => name);
      expect(open.filter((name) => /SECRET|TOKEN|PRIVATE|REDIS|STATE/.test(name))).to.deep.equal([]);
    });

    it('probes what the gateway answers; whether it lives depends on nobody else', async () => {
      const { startupProbe, readinessProbe, livenessProbe } = container;
      for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe])
        expect(httpGet.port).to.equal('http');
      // Neither warm nor, with no vendor to be reached, ever well.
      for (const { httpGet } of [startupProbe, livenessProbe])
        await supertest(gateway.app).get(httpGet.path).expect(200);
      const { body } = (await supertest(gateway.app).get(readinessProbe.httpGet.path).expect(503)) as {
        body: unknown;
      };
      expect(body).to.include({ isReady: false, closing: false });
    });

    it('notices that it drains while it is still served', () => {
      const { periodSeconds, failureThreshold } = container.readinessProbe;
      expect(periodSeconds * failureThreshold).to.be.below(graceSeconds);
    });

    it('waits for its balancers and the longest drain', () => {
      const [command, seconds] = container.lifecycle.preStop.exec.command;
      expect(command).to.equal('sleep');
      expect(pod.terminationGracePeriodSeconds).to.be.above(Number(seconds) + longestDrainSeconds);
    });

    it('leads the Service to the port of the image, and all that chooses pods to these', () => {
      const [, exposed] = /^EXPOSE (\d+)$/m.exec(read('example/Dockerfile')) ?? [];
      expect(container.ports).to.deep.equal([{ name: 'http', containerPort: Number(exposed) }]);
      const service = specOf('Service') as { selector: object; ports: readonly object[] };
      expect(service.ports).to.deep.equal([{ name: 'http', port: 80, targetPort: 'http' }]);
      const budget = specOf('PodDisruptionBudget') as { selector: { matchLabels: object } };
      const chosen = [
        deployment.selector.matchLabels,
        service.selector,
        budget.selector.matchLabels,
        ...pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
      ];
      for (const labels of chosen) expect(labels).to.deep.equal(deployment.template.metadata.labels);
      expect(chosen).to.have.length(5);
    });

    it('runs four that may do nothing but run', () => {
      expect(deployment.replicas).to.equal(4);
      expect(pod.securityContext).to.include({ runAsNonRoot: true, runAsUser: 1000 });
      expect(container.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    });
  });

  it('for platforms that freeze: the dispatcher that is told of keeps no connection', async () => {
    expect(deployed('serverless.md')).to.include('`dispatcher: new Agent({ pipelining: 0 })`');
    const dispatcher = new Agent({ pipelining: 0 });
    const scene = await startScene({ hook: { dispatcher } });
    const call = await scene.call({ userId: BOB.id, login: BOB.login });
    expect(commandOf(call)).to.include({
      status: 'SUCCESSFUL',
      transactionId: scene.twilio.messages[0]?.sid,
    });
    for (const { headers } of [...scene.okta.requests, ...scene.twilio.requests])
      expect(headers.connection).to.equal('close');
    await scene.close();
    await dispatcher.close();
  });

  it('are named in the guide to operations', () => {
    const files = readdirSync(join(ROOT, 'example/deploy'));
    expect(files).to.have.members([
      'alerts.yaml',
      'compose.yaml',
      'gateway.env.example',
      'kubernetes.yaml',
      'serverless.md',
    ]);
    for (const file of files) {
      if (file !== 'gateway.env.example')
        expect(read('.docs/operations.md')).to.include(`(../example/deploy/${file})`);
    }
  });
});
