import { readdirSync, readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { BlockList } from 'node:net';
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

/** The fields of a compose service that the tests read. */
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

/** The fields of a Kubernetes probe that the tests read. */
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

/** The fields of a Kubernetes container that the tests read. */
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

interface NetworkPolicy {
  readonly podSelector: { readonly matchLabels: object };
  readonly policyTypes: readonly string[];
  readonly ingress: readonly object[];
  readonly egress: readonly {
    readonly to: readonly { readonly ipBlock?: { readonly except: readonly string[] } }[];
    readonly ports: readonly { readonly port: number }[];
  }[];
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
const policy = specOf('NetworkPolicy') as NetworkPolicy;
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

/** The values that a deployment sets. */
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

/** Starts the gateway with these variables, except for the state, which another test checks. */
function expectToStart(variables: Readonly<Record<string, string>>): void {
  const own = Object.entries(variables).filter(([name]) => !/^(REDIS|STATE)_/.test(name));
  const environment = readEnvironment({ ...Object.fromEntries(own), NODE_ENV: 'production' });
  expect(environment.kind).to.equal('real');
  if (environment.kind !== 'real') return;
  const gateway = createGateway({ hook: environment.options, login: environment.login });
  void gateway.hook.close();
}

/** The port of the metrics, which no recipe publishes. */
const METRICS = '9464';

const graceSeconds = GRACE_MS / 1000;
/** The longest time from SIGTERM to the exit: each step takes its full time limit. */
const longestDrainSeconds =
  graceSeconds +
  // The last limit counts twice: for the state, and for the connections to the vendors.
  (LAST_CONNECTION_MS + DETACHED_MS + 2 * READY_TIMEOUT_MS) / 1000;

describe('the deployment recipes', () => {
  let gateway: Gateway;
  before(() => {
    const environment = readEnvironment(FILLED_IN);
    if (environment.kind !== 'real') expect.fail('the usual variables are not enough');
    const logger = { info: witness, warn: witness, error: witness };
    gateway = createGateway({
      hook: { ...environment.options, logger },
    });
  });
  after(() => gateway.hook.close());

  describe('for Docker Compose', () => {
    const { environment } = services.gateway;

    it('sets only variables that the example reads, and all that it needs to start', () => {
      expect(Object.keys(environment).filter((name) => !namesRead().has(name))).to.deep.equal([]);
      // As compose does: an optional variable that is not set becomes empty.
      const filled = Object.entries(environment).map(([name, text]) => {
        const [, wanted = '', isRequired] = /^\$\{(\w+):(?:(\?)|-)\}$/.exec(text) ?? [];
        if (name === 'REDIS_URL' || name.startsWith('METRICS_')) return [name, text];
        expect(wanted, text).to.equal(name);
        return [name, isRequired === '?' ? (FILLED_IN[name] ?? `${name} is required`) : FILLED_IN[name]];
      });
      const all = Object.fromEntries(filled) as Record<string, string>;
      expectToStart(all);
    });

    it('uses exactly the variables that gateway.env.example lists without values', () => {
      const taken = new Set([...deployed('compose.yaml').matchAll(/\$\{(\w+):/g)].map(([, name]) => name));
      const named = [...deployed('gateway.env.example').matchAll(/^(\w+)=(.*)$/gm)];
      expect(named.map(([, name]) => name)).to.have.members([...taken]);
      for (const [line, , value] of named) expect(value, line).to.equal('');
    });

    it('publishes the port of the image, and that of the metrics, on 127.0.0.1 only', () => {
      const [, exposed] = /^EXPOSE (\d+)$/m.exec(read('example/Dockerfile')) ?? [];
      expect(readEnvironment({})).to.include({ port: Number(exposed) });
      expect(environment).to.include({ METRICS_PORT: METRICS, METRICS_HOST: '0.0.0.0' });
      expect(services.gateway.ports).to.deep.equal(
        [exposed ?? '', METRICS].map((port) => `127.0.0.1:${port}:${port}`),
      );
    });

    it('gives only the gateway access to Redis, which evicts no key and keeps its data', () => {
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
      // Opt-outs of users survive a restart.
      const [, folder = ''] = /^dir (\S+)$/m.exec(script) ?? [];
      expect(redis).to.deep.include({ volumes: [`redis:${folder}`] });
    });

    it('runs gateway and Redis read-only, without capabilities, as users other than root', () => {
      for (const service of [services.gateway, services.redis]) {
        expect(service).to.deep.include({ read_only: true, cap_drop: ['ALL'], restart: 'unless-stopped' });
        expect(service).to.deep.include({ security_opt: ['no-new-privileges:true'] });
      }
      expect(services.redis).to.include({ user: 'redis' });
      expect(read('example/Dockerfile')).to.match(/^USER node$/m);
    });

    it('waits longer than the longest drain, as the command in the Dockerfile does', () => {
      expect(Number.parseInt(services.gateway.stop_grace_period ?? '', 10)).to.be.above(longestDrainSeconds);
      const [, stopSeconds] = /--stop-timeout (\d+)/.exec(read('example/Dockerfile')) ?? [];
      expect(Number(stopSeconds)).to.be.above(longestDrainSeconds);
    });

    it('keeps in its image the packages that the example and the library load', () => {
      const [, list = ''] = /for \(const name of \[(.*?)\]\)/.exec(read('example/Dockerfile')) ?? [];
      const kept = [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name);
      expect(kept).to.include.members([
        'iron-session',
        'openid-client',
        ...Object.keys(manifest.peerDependencies),
      ]);
    });

    it('has a health check on a path that the gateway answers with 200', async () => {
      const [, path = ''] = /^HEALTHCHECK .*\}(\/[\w/]+)`/m.exec(read('example/Dockerfile')) ?? [];
      await supertest(gateway.app).get(path).expect(200);
    });
  });

  describe('for Kubernetes', () => {
    it('sets only variables that the example reads, and all that it needs to start', () => {
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

    it('reads each secret from the Secret', () => {
      const open = container.env.filter(({ value }) => value !== undefined).map(({ name }) => name);
      expect(open.filter((name) => /SECRET|TOKEN|PRIVATE|REDIS|STATE/.test(name))).to.deep.equal([]);
    });

    it('probes paths that the gateway answers; startup and liveness do not depend on vendors', async () => {
      const { startupProbe, readinessProbe, livenessProbe } = container;
      for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe])
        expect(httpGet.port).to.equal('http');
      // The gateway has not warmed up, and reaches no vendor.
      for (const { httpGet } of [startupProbe, livenessProbe])
        await supertest(gateway.app).get(httpGet.path).expect(200);
      const { body } = (await supertest(gateway.app).get(readinessProbe.httpGet.path).expect(503)) as {
        body: unknown;
      };
      expect(body).to.deep.equal({ isReady: false });
    });

    it('notices a drain while the gateway still accepts calls', () => {
      const { periodSeconds, failureThreshold } = container.readinessProbe;
      expect(periodSeconds * failureThreshold).to.be.below(graceSeconds);
    });

    it('waits longer than the sleep for its load balancers and the longest drain together', () => {
      const [command, seconds] = container.lifecycle.preStop.exec.command;
      expect(command).to.equal('sleep');
      expect(pod.terminationGracePeriodSeconds).to.be.above(Number(seconds) + longestDrainSeconds);
    });

    it('sends the Service to the port of the image, and uses the same pod labels in each selector', () => {
      const [, exposed] = /^EXPOSE (\d+)$/m.exec(read('example/Dockerfile')) ?? [];
      expect(container.ports).to.deep.equal([
        { name: 'http', containerPort: Number(exposed) },
        { name: 'metrics', containerPort: Number(METRICS) },
      ]);
      expect(container.env).to.deep.include({ name: 'METRICS_PORT', value: METRICS });
      const service = specOf('Service') as { selector: object; ports: readonly object[] };
      expect(service.ports).to.deep.equal([{ name: 'http', port: 80, targetPort: 'http' }]);
      const budget = specOf('PodDisruptionBudget') as { selector: { matchLabels: object } };
      const chosen = [
        policy.podSelector.matchLabels,
        deployment.selector.matchLabels,
        service.selector,
        budget.selector.matchLabels,
        ...pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
      ];
      for (const labels of chosen) expect(labels).to.deep.equal(deployment.template.metadata.labels);
      expect(chosen).to.have.length(6);
    });

    it('lets the ingress controller call the gateway, and Prometheus read the metrics; lets out only DNS, https in the internet and Redis', () => {
      expect(policy.policyTypes).to.have.members(['Ingress', 'Egress']);
      const from = (namespace: string): readonly object[] => [
        { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
      ];
      expect(policy.ingress).to.deep.equal([
        { from: from('ingress-nginx'), ports: [{ port: 'http' }] },
        { from: from('monitoring'), ports: [{ port: 'metrics' }] },
      ]);
      const reached = policy.egress.map(({ ports }) => ports.map(({ port }) => port));
      expect(reached).to.deep.equal([[53, 53], [443], [6379]]);
      expect(policy.egress.every(({ to }) => to.length > 0)).to.equal(true);
      const blocked = new BlockList();
      for (const { ipBlock } of policy.egress[1]?.to ?? []) {
        for (const range of ipBlock?.except ?? []) {
          const [network = '', bits] = range.split('/');
          blocked.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
        }
      }
      for (const inside of ['10.1.2.3', '172.31.0.1', '192.168.0.1', '169.254.169.254', '100.100.0.1']) {
        expect(blocked.check(inside), inside).to.equal(true);
      }
      expect(blocked.check('fd00:ec2::254', 'ipv6')).to.equal(true);
      expect(blocked.check('52.1.2.3')).to.equal(false);
    });

    it('runs four replicas with no root user, no capabilities and a read-only file system', () => {
      expect(deployment.replicas).to.equal(4);
      expect(pod.securityContext).to.include({ runAsNonRoot: true, runAsUser: 1000 });
      expect(container.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    });
  });

  it('name each image of another publisher by an exact version or a digest', () => {
    const [, node = ''] = /^ARG NODE_IMAGE=(.+)$/m.exec(read('example/Dockerfile')) ?? [];
    const bases = [...read('example/Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases)).to.deep.equal(new Set(['${NODE_IMAGE}']));
    for (const image of [node, services.redis.image ?? ''])
      expect(image).to.match(/^[a-z]+:\d+\.\d+\.\d+-[a-z]+(?:@sha256:[\da-f]{64})?$/);
  });

  it('name a dispatcher for serverless platforms that keeps no connection open', async () => {
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

  it('are all linked in the guide to operations', () => {
    const files = readdirSync(join(ROOT, 'example/deploy'));
    expect(files).to.have.members([
      'alerts.yaml',
      'compose.yaml',
      'gateway.env.example',
      'grafana-dashboard.json',
      'kubernetes.yaml',
      'serverless.md',
    ]);
    for (const file of files) {
      if (file !== 'gateway.env.example')
        expect(read('docs/run/deploy.md')).to.include(`(../../example/deploy/${file})`);
    }
  });
});
