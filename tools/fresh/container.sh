# A bare Debian in a container (tools/containers), by docker or podman. Sourced by check-fresh.

engine_needs() {
  command -v "$engine" >/dev/null || die "found no $engine; use --engine chroot, or install it"
  "$engine" info >/dev/null 2>&1 || die "$engine is installed but cannot be used: $engine info says why"
}

machine_begin() {
  "$engine" build --quiet --tag "glia-fresh-$1" --file "tools/containers/$1.Dockerfile" \
    tools/containers >/dev/null || die "$engine could not build tools/containers/$1.Dockerfile"
  machine=$("$engine" run --detach "glia-fresh-$1" sleep infinity)
}

machine_root() {
  "$engine" exec --user root "$machine" env "${@:1:$#-1}" bash -c "${*: -1}"
}

machine_user() {
  "$engine" exec --user glia "$machine" env HOME=/home/glia "${@:1:$#-1}" bash -c "${*: -1}"
}

machine_copy() { "$engine" cp "$1" "$machine:$2" >/dev/null; }

machine_end() {
  [ -z "${machine:-}" ] || "$engine" rm --force "$machine" >/dev/null
  machine=
}
