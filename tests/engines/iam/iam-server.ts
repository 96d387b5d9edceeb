import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

type Parameters = Readonly<Record<string, string>>;

export interface IamServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly asked: readonly Parameters[];
}

/** Status and body for a call of IAM's query protocol. */
export type AnswerIam = (call: Parameters) => { readonly status?: number; readonly body: string };

async function parametersOf(incoming: IncomingMessage): Promise<Parameters> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
}

/** Answers with documents as AWS's reference of IAM shows them. */
export async function openIamServer(answer: AnswerIam): Promise<IamServer> {
  const asked: Parameters[] = [];
  const server = createServer((incoming, outgoing) => {
    void parametersOf(incoming).then((call) => {
      asked.push(call);
      const { status = 200, body } = answer(call);
      outgoing.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html shows it. */
export function simulationXml(
  decisions: Readonly<Record<string, string>>,
  resource: string,
  marker?: string,
): string {
  const members = Object.entries(decisions).map(
    ([action, decision]) => `<member>
        <MatchedStatements/>
        <MissingContextValues/>
        <EvalResourceName>${resource}</EvalResourceName>
        <EvalDecision>${decision}</EvalDecision>
        <EvalActionName>${action}</EvalActionName>
      </member>`,
  );
  return `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <SimulatePrincipalPolicyResult>
    <IsTruncated>${marker !== undefined}</IsTruncated>
    ${marker === undefined ? '' : `<Marker>${marker}</Marker>`}
    <EvaluationResults>${members.join('')}</EvaluationResults>
  </SimulatePrincipalPolicyResult>
  <ResponseMetadata><RequestId>004d7059-4c14-11e5-b121-bd8c7EXAMPLE</RequestId></ResponseMetadata>
</SimulatePrincipalPolicyResponse>`;
}

export function callerXml(arn: string): string {
  return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>${arn}</Arn><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>${arn.split(':')[4]}</Account>
  </GetCallerIdentityResult>
</GetCallerIdentityResponse>`;
}

export function errorXml(code: string, message: string): string {
  return `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>
  <RequestId>004d7059-4c14-11e5-b121-bd8c7EXAMPLE</RequestId>
</ErrorResponse>`;
}
