/** The files of a first workspace, by path. It needs no network, and its base has all that its steps use. */
export const STARTER: Readonly<Record<string, string>> = {
  "factory.yaml": `# The settings of this workspace. Images are named REPOSITORY/MANIFEST_ID.
schema_version: 1
repository: factory
`,
  "templates/image/0.1.0/template.yaml": `schema_version: 1
template_id: image
version: 0.1.0
summary: A base, what it needs, and a program
slots: [{ name: foundation }, { name: program }]
`,
  "templates/image/0.1.0/Dockerfile.hbs": `FROM {{base}} AS base

{{slot "foundation"}}

{{slot "program"}}

FROM {{last}} AS image
{{labels}}
`,
  "fragments/account/0.1.0/fragment.yaml": `schema_version: 1
name: account
version: 0.1.0
summary: A user that is not root
order: 10
slot: foundation
args:
  user: { type: string, default: app, pattern: "[a-z][a-z0-9]*" }
smoke:
  - id: is-not-root
    command: { argv: [id, -u], stdout: { equals: "10001" } }
`,
  "fragments/account/0.1.0/Dockerfile.hbs": `RUN useradd --uid 10001 --no-create-home {{args.user}}
USER 10001
`,
  "fragments/greeter/0.1.0/fragment.yaml": `schema_version: 1
name: greeter
version: 0.1.0
summary: A program that greets
order: 20
slot: program
requires: { account: ~0.1 }
args:
  greeting: { type: string, default: Hello }
`,
  "fragments/greeter/0.1.0/Dockerfile.hbs": `COPY --chmod=0755 {{file "greet.sh"}} /usr/local/bin/greet
ENV GREETING={{quote args.greeting}}
CMD ["greet", "world"]
`,
  "fragments/greeter/0.1.0/greet.sh": `#!/bin/sh
echo "$GREETING, $1"
`,
  "manifests/hello.yaml": `schema_version: 1
manifest_id: hello
summary: A first image
template: image@~0.1
base: debian:bookworm-slim
fragments: { account: ~0.1, greeter: ~0.1 }
smoke:
  - id: greets
    command: { argv: [greet, Factory], stdout: { matches: ", Factory" } }
`,
  "control_plane/plans/greetings.yaml": `schema_version: 1
plan_id: greetings
manifest_id: hello
axes:
  args: { greeting: [Hello, Good morning] }
`,
  ".gitignore": `.factory/
factory.local.yaml
# Records are the proof of what was built. They may be kept in git: then remove this line.
/records/
`,
  "README.md": `# Images

A workspace of Factory: \`manifests/\` say what images are made of, \`fragments/\` are the pieces, \`templates/\` the
skeletons, \`control_plane/plans/\` the combinations.

\`\`\`sh
factory validate
factory plan
factory run --all
factory records list
\`\`\`
`,
};
