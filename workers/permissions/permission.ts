/** What a component may do in AWS, or else does not work. */
export interface Permission {
  readonly component: string;
  /** IAM action. */
  readonly action: string;
  /** ARN, with `*` where the configuration does not tell. */
  readonly resource: string;
  readonly why: string;
}

/** Where the installation is: what the configuration leaves open in ARNs. */
export interface AwsPlace {
  /** `aws`, or that of China or of the government. */
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** The ARN with the region and account of the installation, where it leaves them open. */
export function located(arn: string, { partition, region, account }: AwsPlace): string {
  const [head, , service = '', inRegion = '', ofAccount = '', ...rest] = arn.split(':');
  if (head !== 'arn') return arn;
  return [
    head,
    partition,
    service,
    inRegion === '*' ? region : inRegion,
    ofAccount === '*' ? account : ofAccount,
    ...rest,
  ].join(':');
}
