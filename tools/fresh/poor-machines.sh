# Machines that lack something: each gets one clear message, or works. Sourced by check-fresh (chroot).

# refused NAME TEXT COMMAND...: ends with a status other than 0 and says TEXT in its last line.
refused() {
  local name=$1 text=$2 said status=0
  shift 2
  said=$("$@" 2>&1) || status=$?
  if [ $status -eq 0 ] || [[ "$(tail -n 1 <<<"$said")" != *"$text"* ]]; then
    tail -n 20 <<<"$said"
    die "$suite, $name: expected a refusal with '$text' in its last line (status $status)"
  fi
  results+=("$(printf '%-9s %-16s %s' "$suite" "$name" "$(tail -n 1 <<<"$said" | cut -c1-150)")")
  printf '\n== %s, %s\n%s\n' "$suite" "$name" "$(tail -n 1 <<<"$said")"
}

works() {
  local name=$1 start=$SECONDS said
  shift
  said=$("$@" 2>&1) || { tail -n 20 <<<"$said"; die "$suite, $name: ended with an error"; }
  results+=("$(printf '%-9s %-16s works (%d s)' "$suite" "$name" $((SECONDS - start)))")
  printf '\n== %s, %s: works\n' "$suite" "$name"
}

poor_before_installing() {
  machine_root "useradd --create-home --shell /bin/bash glia"
  give_clone_to user
  refused "no sudo" "has no sudo" machine_user "cd ~/glia && ./demo.sh"
  wrap=(unshare --net)
  refused "no network" "Without a network" machine_root "cd /home/glia/glia && ./demo.sh"
  wrap=()
  machine_root "rm -rf /home/glia/glia"
}

# A disk of SIZE MiB at /mnt/small.
small_disk() {
  mkdir -p "$machine/mnt/small"
  mount -t tmpfs -o "size=$1m,mode=777" small "$machine/mnt/small"
}

poor_after_installing() {
  small_disk 100
  refused "small disk" "MiB are free" \
    machine_user GLIA_BUILD_DIR=/mnt/small/build "cd ~/glia && ./demo.sh out-small"
  umount "$machine/mnt/small"

  small_disk 450
  machine_user "cd ~/glia && cmake -S . -B /mnt/small/build -G Ninja -DGLIA_TESTS=OFF >/dev/null &&
    head -c \$((\$(df -Pk /mnt/small | awk 'NR == 2 { print \$4 }') * 1024 - 4000000)) /dev/zero >/mnt/small/filler"
  refused "disk gets full" "the disk of /mnt/small/build is full" \
    machine_user GLIA_BUILD_DIR=/mnt/small/build "cd ~/glia && ./demo.sh out-full"
  umount "$machine/mnt/small"

  refused "no place to build" "cannot write to" \
    machine_user GLIA_BUILD_DIR=/root/build "cd ~/glia && ./demo.sh out-readonly"
  works "read-only home" machine_user HOME_OF_USER=/proc GLIA_DEMO_EPOCHS=1 \
    "cd /home/glia/glia && ./demo.sh out-home"

  machine_user "cd ~ && mkdir -p old && printf '#!/bin/sh\necho cmake version 3.22.1\n' >old/cmake && chmod +x old/cmake"
  refused "old CMake" "cmake 3.22.1 is too old" machine_user \
    "cd ~/glia && PATH=~/old:\$PATH ./demo.sh out-cmake"
  refused "no compiler" "found no C++ compiler" machine_user CXX=missing-c++ \
    "cd ~/glia && ./demo.sh out-compiler"
  [ -n "$quick" ] && return

  # What the message about CMake advises, word for word.
  machine_root DEBIAN_FRONTEND=noninteractive \
    "apt-get install -y -qq --no-install-recommends python3-venv >/dev/null"
  works "newer CMake" machine_user "cd ~/glia && export PATH=~/old:\$PATH &&
    eval \"\$(tools/build 2>&1 | sed 's/.*from PyPI: //')\" && cmake --version | head -n 1 &&
    GLIA_BUILD_DIR=build-newer tools/build glia_base"
  wrap=(taskset -c 0 prlimit --as=2147483648)
  works "one core, 2 GiB" machine_user GLIA_BUILD_DIR=build-poor GLIA_DEMO_EPOCHS=1 \
    "cd ~/glia && ./demo.sh out-poor"
  wrap=()
}
