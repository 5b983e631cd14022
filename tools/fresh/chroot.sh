# A bare Debian in a folder, by debootstrap and chroot; needs root. Sourced by check-fresh, which runs in
# a mount namespace of its own, so that nothing stays mounted.

engine_needs() {
  [ "$(id -u)" -eq 0 ] || die "a chroot needs root: run it by sudo, or use --engine docker or podman"
  command -v debootstrap >/dev/null || die "found no debootstrap; apt-get install debootstrap"
}

# machine_begin SUITE: git and certificates, nothing else.
machine_begin() {
  machine=$(mktemp -d "${TMPDIR:-/var/tmp}/glia-fresh-XXXXXX")
  chmod 755 "$machine"  # its root folder, for every user
  debootstrap --variant=minbase --include=git,ca-certificates "$1" "$machine" >"$machine.log" 2>&1 ||
    cannot "debootstrap $1 failed: $(tail -n 2 "$machine.log")"
  mount -t proc proc "$machine/proc"
  mount --rbind /dev "$machine/dev"
  mount --make-rslave "$machine/dev"
  cp /etc/resolv.conf "$machine/etc/resolv.conf"
  # Whom this machine trusts: the way out may lead through a proxy that signs for others.
  trust=()
  if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    cp /etc/ssl/certs/ca-certificates.crt "$machine/etc/ssl/trusted-by-host.crt"
    trust=({PIP_CERT,SSL_CERT_FILE}=/etc/ssl/trusted-by-host.crt)
  fi
}

# machine_root VARIABLE=VALUE... COMMAND: in a shell of the machine, with a clean environment.
machine_root() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
    "${trust[@]+"${trust[@]}"}" \
    "${wrap[@]+"${wrap[@]}"}" chroot "$machine" env "${@:1:$#-1}" bash -c "${*: -1}"
}

machine_user() {
  machine_root "${@:1:$#-1}" "runuser -u glia -- env HOME=\${HOME_OF_USER:-/home/glia} bash -c $(printf %q "${*: -1}")"
}

# machine_copy FOLDER PATH: a folder of this machine into that one.
machine_copy() { cp -a "$1" "$machine$2"; }

machine_end() {
  [ -n "${machine:-}" ] || return 0
  umount -R "$machine/proc" "$machine/dev" 2>/dev/null || true
  # Never through something that is mounted still.
  rm -rf --one-file-system "$machine" "$machine.log"
  machine=
}
