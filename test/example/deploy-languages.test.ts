import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse as parseYaml } from 'yaml';
import { asList, asObject, fieldOf, parseJson, textFieldOf } from '#lib/core/json.js';
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX } from '#lib/events/metric-table.js';
import { ENROLLMENT, HOOK_FAILED, SIGN_IN } from '#lib/okta/event-hook.js';
import { ROOT } from '#harness/consumer.js';
import { onlyInGate } from '#harness/only-gate.js';
import { installToolsOnce } from '#harness/own-tools.js';

/** The queries and the Terraform code of the recipes, read by the real parsers of their languages. */

/** What is used of a node of a lezer tree. */
interface Node {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly type: { readonly isError: boolean };
  readonly parent: Node | null;
  getChild(name: string): Node | null;
  getChildren(name: string): readonly Node[];
}
interface PromQl {
  readonly parser: {
    parse(text: string): { iterate(visit: { enter(at: { readonly node: Node }): void }): void };
  };
}
interface Hcl {
  parse(file: string, text: string): Promise<Readonly<Record<string, unknown>>>;
}

const load = createRequire(join(ROOT, 'test/tools/package.json'));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Each series on the metrics page, with its labels. */
const series = new Map<string, readonly string[]>();
for (const [name, { labels }] of Object.entries({ ...COUNTERS, ...GAUGES }))
  series.set(PREFIX + name, labels);
for (const [name, { labels }] of Object.entries(HISTOGRAMS)) {
  for (const part of ['bucket', 'count', 'sum'])
    series.set(`${PREFIX}${name}_${part}`, part === 'bucket' ? [...labels, 'le'] : labels);
}

/** Labels that Prometheus adds to each series. */
const ADDED = ['instance', 'job'];

/** What is wrong with a query: its syntax, or a series or label that the metrics page does not have. */
function problemsOf(expr: string, { parser }: PromQl): readonly string[] {
  // Grafana puts a duration in the place of its variable.
  const text = expr.replaceAll('$__rate_interval', '5m');
  const problems: string[] = [];
  const textOf = ({ from, to }: Node): string => text.slice(from, to);
  const nodes: Node[] = [];
  parser.parse(text).iterate({ enter: ({ node }) => void nodes.push(node) });
  const selectors = nodes.filter(({ name }) => name === 'VectorSelector');
  const labelsOf = (selector: Node): readonly string[] | undefined => {
    const name = selector.getChild('Identifier');
    return name === null ? undefined : series.get(textOf(name));
  };
  for (const node of nodes) if (node.type.isError) problems.push(`it cannot be read at ${node.from}`);
  if (selectors.length === 0) problems.push('it has no series');
  for (const selector of selectors) {
    const labels = labelsOf(selector);
    if (labels === undefined) {
      problems.push(`there is no series ${textOf(selector)}`);
      continue;
    }
    const matchers = selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
    for (const matcher of matchers) {
      const label = matcher.getChild('LabelName');
      if (label !== null && ![...labels, ...ADDED].includes(textOf(label)))
        problems.push(`${textOf(selector)} has no label ${textOf(label)}`);
    }
  }
  for (const grouping of nodes.filter(({ name }) => name === 'GroupingLabels')) {
    // The aggregation, or the two sides that `on (…)` compares.
    const whole = grouping.parent?.parent;
    const inside = selectors.filter(({ from, to }) => whole && from >= whole.from && to <= whole.to);
    for (const label of grouping.getChildren('LabelName').map(textOf)) {
      for (const selector of inside)
        if (![...(labelsOf(selector) ?? []), ...ADDED].includes(label))
          problems.push(`${textOf(selector)} has no label ${label}`);
    }
  }
  return problems;
}

describe('the recipes in other languages', () => {
  before(function () {
    onlyInGate(this, 'it installs the parsers of PromQL and HCL');
    this.timeout(120_000);
    installToolsOnce('tools');
  });

  describe('in PromQL', () => {
    let promQl: PromQl;
    before(() => {
      promQl = load('@prometheus-io/lezer-promql') as PromQl;
    });

    const dashboard = parseJson(read('example/deploy/grafana-dashboard.json'));
    const panels = asList(fieldOf(dashboard, 'panels')).filter(
      (panel) => textFieldOf(panel, 'type') !== 'row',
    );
    const targetsOf = (panel: unknown) => asList(fieldOf(panel, 'targets'));

    it('have a dashboard whose every query names series and labels that exist', () => {
      const queries = panels.flatMap((panel) =>
        targetsOf(panel).map((target) => ({
          title: textFieldOf(panel, 'title') ?? '',
          expr: textFieldOf(target, 'expr') ?? '',
          legend: textFieldOf(target, 'legendFormat') ?? '',
        })),
      );
      expect(queries).to.have.length.above(25);
      for (const { title, expr, legend } of queries) {
        expect(problemsOf(expr, promQl), title).to.deep.equal([]);
        // The query must keep each label that its legend shows.
        for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g))
          expect(expr, title).to.match(new RegExp(`by \\([^)]*\\b${label}\\b`));
      }
    });

    it('have a dashboard whose panels have a title and a description of their own, and do not overlap', () => {
      const titles = panels.map((panel) => textFieldOf(panel, 'title'));
      expect(new Set(titles).size).to.equal(titles.length);
      for (const panel of panels) expect(textFieldOf(panel, 'description')).to.match(/\.$/);
      const taken = new Set<string>();
      for (const panel of asList(fieldOf(dashboard, 'panels'))) {
        const { x, y, w, h } = asObject(fieldOf(panel, 'gridPos')) as Record<'x' | 'y' | 'w' | 'h', number>;
        for (let column = x; column < x + w; column += 1) {
          for (let line = y; line < y + h; line += 1) {
            expect(column).to.be.below(24);
            expect(taken.has(`${column} ${line}`), textFieldOf(panel, 'title')).to.equal(false);
            taken.add(`${column} ${line}`);
          }
        }
      }
    });

    it('have alert rules whose every query names series and labels that exist', () => {
      const groups = asList(fieldOf(parseYaml(read('example/deploy/alerts.yaml')), 'groups'));
      const rules = groups.flatMap((group) => asList(fieldOf(group, 'rules')));
      expect(rules).to.have.length.above(8);
      for (const rule of rules)
        expect(problemsOf(textFieldOf(rule, 'expr') ?? '', promQl), textFieldOf(rule, 'alert')).to.deep.equal(
          [],
        );
    });

    for (const [what, expr] of [
      ['another series', `sum(${PREFIX}codes)`],
      ['another label in a selector', `${PREFIX}codes_total{result="accepted"}`],
      ['another label in by', `sum by (provider) (${PREFIX}codes_total)`],
      ['an error in its syntax', `sum by (channel (${PREFIX}codes_total)`],
      ['no series', 'vector(0)'],
    ] as const) {
      it(`are refused by this test with ${what}`, () => {
        expect(problemsOf(expr, promQl)).to.not.be.empty;
      });
    }
  });

  describe('in Terraform', () => {
    const PAGE = 'docs/start/terraform.md';
    const blocks = [...read(PAGE).matchAll(/^```hcl\n(.*?)^```$/gms)].map(([, code = '']) => code);
    /** The attributes that the documents of okta/terraform-provider-okta have, of those used here. */
    const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
      okta_inline_hook: ['name', 'type', 'version', 'channel', 'auth', 'channel_json'],
      okta_event_hook: ['name', 'events', 'channel', 'auth'],
      okta_event_hook_verification: ['event_hook_id'],
      okta_hook_key: ['name'],
      okta_user_schema_property: [
        ...['index', 'title', 'description', 'type', 'master', 'scope', 'permissions'],
      ],
      okta_app_oauth: [
        ...['label', 'type', 'grant_types', 'response_types', 'token_endpoint_auth_method', 'omit_secret'],
        'jwks',
      ],
      okta_app_oauth_api_scope: ['app_id', 'issuer', 'scopes'],
    };
    let whole: Readonly<Record<string, unknown>>;
    before(async () => {
      const hcl = load('@cdktf/hcl2json') as Hcl;
      for (const block of blocks) await hcl.parse('page.tf', block);
      whole = await hcl.parse('page.tf', blocks.join('\n'));
    });
    const resources = () =>
      Object.entries(asObject(whole['resource'])).flatMap(([type, named]) =>
        Object.entries(asObject(named)).map(([name, bodies]) => ({
          type,
          name,
          body: asObject(asList(bodies)[0]),
        })),
      );
    const bodyOf = (type: string, name: string): unknown =>
      resources().find((one) => one.type === type && one.name === name)?.body;

    it('have resources that Okta’s provider has, with its attributes', () => {
      expect(resources().map(({ type }) => type)).to.include.members(Object.keys(ATTRIBUTES));
      for (const { type, body } of resources())
        expect(ATTRIBUTES[type], type).to.include.members(Object.keys(body));
    });

    it('refer only to variables and resources of the page', () => {
      const variables = Object.keys(asObject(whole['variable']));
      const addresses = resources().map(({ type, name }) => `${type}.${name}`);
      const text = JSON.stringify(whole);
      for (const [, name] of text.matchAll(/\bvar\.(\w+)/g)) expect(variables).to.include(name);
      for (const [, address] of text.matchAll(/\$\{?[^"]*?\b(okta_\w+\.\w+)\.id/g))
        expect(addresses).to.include(address);
    });

    it('subscribe the event hook to what setup event-hook subscribes it to, at the same URL', () => {
      const hook = bodyOf('okta_event_hook', 'outcomes');
      expect(asList(fieldOf(hook, 'events'))).to.have.members([SIGN_IN, ENROLLMENT, HOOK_FAILED]);
      expect(textFieldOf(hook, 'channel', 'uri')).to.equal('${var.public_url}/events');
    });

    it('keep secrets out of the code, and give the app the least scope', () => {
      const secret = asList(fieldOf(whole, 'variable', 'hook_secret'))[0];
      expect(fieldOf(secret, 'sensitive')).to.equal(true);
      for (const type of ['okta_inline_hook', 'okta_event_hook'])
        for (const { body } of resources().filter((one) => one.type === type && 'auth' in one.body))
          expect(textFieldOf(body, 'auth', 'value')).to.equal('${var.hook_secret}');
      expect(fieldOf(bodyOf('okta_app_oauth_api_scope', 'gateway'), 'scopes')).to.deep.equal([
        'okta.users.read',
      ]);
    });
  });
});
