"""Fetch Fashion-MNIST into a folder and check every payload; builder stage only.

Tries the official addresses, then Debian's package of the same files. The
payload (the decompressed file) is what is pinned: hosts gzip it differently.
Usage: fetch_data.py DATA_JSON FOLDER
"""

import glob
import gzip
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zlib

TIMEOUT_S = 15
# Of a download, of a damaged archive, of a wrong payload, of apt.
FAILURES = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    http.client.HTTPException,
    subprocess.CalledProcessError,
)


def main(description, folder):
    with open(description) as stream:
        wanted = json.load(stream)
    os.makedirs(folder, exist_ok=True)
    roads = [("download " + base, download, base) for base in wanted["sources"]]
    roads.append(("Debian package", debian, wanted["debian_package"]))
    for name, road, argument in roads:
        try:
            road(argument, wanted["payload_sha256"], folder)
        except FAILURES as error:
            print("data: %s: %s" % (name, error), flush=True)
            continue
        with open(os.path.join(folder, "SOURCE"), "w") as stream:
            stream.write(name + "\n")
        print("data: had from %s; all payload hashes agree" % name, flush=True)
        return 0
    print("data: no source gave the files with the pinned payload hashes", flush=True)
    return 1


def download(base, payloads, folder):
    for name, expected in payloads.items():
        with urllib.request.urlopen(base + name, timeout=TIMEOUT_S) as answer:
            keep(answer.read(), name, expected, folder)


def debian(package, payloads, folder):
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o777)  # apt drops privileges to download
        for command in (
            ["apt-get", "-qq", "update"],
            ["apt-get", "-qq", "download", package],
        ):
            subprocess.run(command, cwd=scratch, check=True)
        archives = glob.glob(os.path.join(scratch, package + "_*.deb"))
        if not archives:
            raise ValueError("apt-get brought no archive")
        subprocess.run(["dpkg", "-x", archives[0], os.path.join(scratch, "x")], check=True)
        for name, expected in payloads.items():
            source = os.path.join(scratch, "x/usr/share/datasets/fashion-mnist", name)
            with open(source, "rb") as stream:
                keep(stream.read(), name, expected, folder)


def keep(compressed, name, expected, folder):
    """Write the file when its payload is the pinned one; ValueError otherwise."""
    found = hashlib.sha256(gzip.decompress(compressed)).hexdigest()
    if found != expected:
        raise ValueError("%s: payload sha256 is %s, not %s" % (name, found, expected))
    path = os.path.join(folder, name)
    with open(path + ".part", "wb") as stream:
        stream.write(compressed)
    os.rename(path + ".part", path)
    shutil.copymode(__file__, path)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
