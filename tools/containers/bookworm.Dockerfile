# A bare Debian 12 as a newcomer has it: git, a shell, and a user who may use sudo. By hand, from the
# root of the repository:
#   docker build -t glia-fresh-bookworm -f tools/containers/bookworm.Dockerfile tools/containers
#   docker run --rm -it -u glia -v "$PWD:/repository:ro" glia-fresh-bookworm
#   git clone /repository ~/glia && cd ~/glia && ./demo.sh && ./test.sh
FROM debian:bookworm
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends git ca-certificates sudo \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --shell /bin/bash glia \
 && echo 'glia ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/glia \
 && git config --system --add safe.directory '*'
WORKDIR /home/glia
CMD ["bash"]
