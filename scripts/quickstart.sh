#!/usr/bin/env bash
# From a fresh clone to an image that was built, tested, inventoried and recorded, in one command.
# Where Docker answers it uses that; on Debian 12, as root, it brings an engine up first (test/lab/up); elsewhere it
# does what needs no engine and names what it left out.
#
# Exit codes: 0 all that could be done went well · 3 Node.js is missing · else that of the step that failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
step=0
title() {
  step=$((step + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"
}
note() { printf '   %s\n' "$@"; }
# factory ARGS…: shows the command as a person would type it, then runs it.
factory() {
  printf '   %s$ factory %s%s\n\n' "$dim" "$*" "$plain"
  node dist/cli.js "$@"
}

engine_answers() { docker info && docker buildx version; } >/dev/null 2>&1
is_bare_debian_12() (
  [ "$(id -u)" = 0 ] && [ -z "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ] && [ -r /etc/os-release ] || exit 1
  . /etc/os-release
  [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ]
)

if ! command -v node >/dev/null || ! node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);'; then
  echo "quickstart: missing: Node.js 20.19 or newer" >&2
  exit 3
fi

if [ ! -d node_modules ] || [ ! -f dist/cli.js ]; then
  title "Install Factory (npm ci)"
  npm ci --silent
fi

title "Look for a Docker engine"
engine=yes
if engine_answers; then
  note "Docker $(docker version --format '{{.Server.Version}}') answers: using it."
elif is_bare_debian_12; then
  note "None answers. This is Debian 12 and you are root: bringing one up from Debian's own packages (test/lab/up)," \
    "together with a registry on 127.0.0.1:5000. It takes about a minute; test/lab/down stops both."
  if ! test/lab/up; then
    note "That did not work (see above): going on without an engine."
    engine=no
  fi
else
  note "None answers, and this is not Debian 12 as root: going on without one."
  engine=no
fi

title "Check the workspace: manifests, fragments, templates, plans, products"
factory validate

title "Stitch the manifest llm_factory into a Dockerfile"
factory stitch --manifest-id llm_factory -o -

title "Expand a plan into cells, one for each combination and platform"
factory plan baseline_core_light

if [ "$engine" = no ]; then
  printf '\n%sDone, without an engine.%s\n' "$bold" "$plain"
  note "Left out, since each needs a Docker engine with buildx:" \
    "  factory run --manifest-id llm_factory    build, smoke tests, SBOM, record" \
    "  factory records list, factory records verify" \
    "Install and start Docker, or run this as root on Debian 12, and start again."
  exit 0
fi

title "Run it: build, smoke tests, SBOM, record"
factory run --manifest-id llm_factory

title "Look at the records"
factory records list

title "Hash all evidence again, and compare"
factory records verify

printf '\n%sDone.%s\n' "$bold" "$plain"
note "The image was built, tested and inventoried here; the proof is in records/llm_factory/."
