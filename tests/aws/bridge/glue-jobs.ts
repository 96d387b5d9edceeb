import { ServiceError, type Fields, type Handlers } from './call.ts';
import { fields, page, seconds, text } from './named-input.ts';

export type JobDefinition = Fields & { readonly Name: string };

export function noSuchJob(name: string): ServiceError {
  return new ServiceError('EntityNotFoundException', `Failed to find a job with the given name: ${name}`);
}

/** Job definitions, kept whole: the emulator forgets how many runs of a job there may be. */
export class GlueJobs {
  readonly #jobs = new Map<string, JobDefinition>();

  get(name: string): JobDefinition {
    const job = this.#jobs.get(name);
    if (job === undefined) throw noSuchJob(name);
    return job;
  }

  readonly handlers: Handlers = {
    'glue:CreateJob': (input) => {
      const Name = text(input, 'Name');
      if (this.#jobs.has(Name))
        throw new ServiceError('AlreadyExistsException', `Job with name: ${Name} already submitted`);
      const { Tags: _, ...rest } = input;
      const now = seconds(Date.now());
      this.#jobs.set(Name, {
        ...defaults,
        ...definition(rest),
        Name,
        CreatedOn: now,
        LastModifiedOn: now,
      });
      return { Name };
    },
    'glue:UpdateJob': (input) => {
      const Name = text(input, 'JobName');
      const { CreatedOn } = this.get(Name);
      // As in Glue, an update takes the place of the whole definition.
      this.#jobs.set(Name, {
        ...defaults,
        ...definition(fields(input, 'JobUpdate')),
        Name,
        CreatedOn,
        LastModifiedOn: seconds(Date.now()),
      });
      return { JobName: Name };
    },
    'glue:GetJob': (input) => ({ Job: this.get(text(input, 'JobName')) }),
    'glue:GetJobs': (input) => {
      const { items, next } = page(input, [...this.#jobs.values()], 1000);
      return { Jobs: items, ...next };
    },
    'glue:DeleteJob': (input) => {
      const JobName = text(input, 'JobName');
      this.#jobs.delete(JobName);
      return { JobName };
    },
  };
}

const defaults = {
  ExecutionProperty: { MaxConcurrentRuns: 1 },
  MaxRetries: 0,
  Timeout: 2880,
  GlueVersion: '5.0',
};

function definition(input: Fields): Fields {
  text(input, 'Role');
  text(fields(input, 'Command'), 'ScriptLocation');
  return { ...input, Command: { Name: 'glueetl', PythonVersion: '3', ...fields(input, 'Command') } };
}
