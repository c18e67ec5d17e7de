# Substitute for the official Python image: a Debian root file system (ROOTFS)
# and, in python/, the host's own CPython.
ARG ROOTFS
FROM ${ROOTFS}
LABEL org.kit.owner=kit
COPY python/ /usr/local/
ENV LANG=C.UTF-8
# As in the official image: python3 and pip are there, libpython is found by the
# loader, and the modules that need libraries of the system do import.
RUN set -e; ldconfig; \
    if ! python3 -m pip --version >/dev/null 2>&1; then python3 -m ensurepip >/dev/null; fi; \
    python3 -c "import bz2, ctypes, lzma, sqlite3, ssl, zlib"; \
    python3 -m pip --version; \
    find /usr/local -name __pycache__ -prune -exec rm -rf {} +
