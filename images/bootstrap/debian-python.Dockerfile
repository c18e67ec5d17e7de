# Substitute for the official Python image where the host has no CPython to adopt:
# Debian's own (MINOR), started through its shared library.
ARG ROOTFS

FROM ${ROOTFS} AS launcher
LABEL org.kit.owner=kit
ARG MINOR
COPY launcher.c /src/
RUN set -e; apt-get -qq update; \
    apt-get -qq install -y --no-install-recommends gcc libc6-dev libpython${MINOR}-dev >/dev/null; \
    gcc -O2 -I/usr/include/python${MINOR} /src/launcher.c -o /python -lpython${MINOR}

FROM ${ROOTFS}
LABEL org.kit.owner=kit
ARG MINOR
COPY --from=launcher /python /usr/local/bin/python3
ENV LANG=C.UTF-8
RUN set -e; ln -s python3 /usr/local/bin/python; ln -s python3 /usr/local/bin/python${MINOR}; \
    python3 -c "import bz2, ctypes, lzma, sqlite3, ssl, zlib"; \
    ldd /usr/local/bin/python3 | grep -q "libpython${MINOR}.so.1.0 => /"; \
    python3 -m pip --version
