# deno task start: runs a program, main.ts, with the permissions that its configuration needs, and
# hands the command line on to it. A task cannot do that by itself: it knows its arguments only at
# its end (Deno 2.9.6). DENO is the path of deno, which need not be on the search path; MORE is a
# flag that a program needs beside them. At the end
# deno takes the place of this shell, so that signals reach the gateway.
trap '' HUP # It never ends the gateway, also while this starts; the gateway itself acts on it.
set -f # A host such as *.amazonaws.com must not be taken for names of files.
program=$1
shift
flags=$("$DENO" run --quiet --no-prompt --allow-env --allow-read config/permissions.ts "$@") || exit
# Deno's own spans hold whole URLs, with signatures in them: the gateway's take their place.
if [ "$OTEL_DENO" = true ]; then
  : "${OTEL_TRACES_SAMPLER:=parentbased_always_off}" "${OTEL_PROPAGATORS:=none}"
  : "${OTEL_SERVICE_NAME:=batchway}"
  export OTEL_TRACES_SAMPLER OTEL_PROPAGATORS OTEL_SERVICE_NAME
fi
# Unquoted: the shell takes the flags apart.
exec "$DENO" run --quiet --no-prompt --permission-set=gateway $flags $MORE "$program" "$@"
