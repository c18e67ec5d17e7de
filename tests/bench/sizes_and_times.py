"""Prints image sizes, `kit --help`, and a quick session with images present.

Usage: python tests/bench/sizes_and_times.py [--session]
Nothing is asserted; the targets stand beside the figures.
"""

import statistics
import subprocess
import sys
import tempfile
import time

from kit.engine.discover import discover


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return time.perf_counter() - start, done


def main():
    times = [seconds([sys.executable, "-m", "kit", "--help"])[0] for _ in range(7)]
    print(f"kit --help            {statistics.median(times):.3f} s (target 0.3)")
    engine = discover()
    sizes = {}
    for arm in ("python-cpu", "dotnet-cpu-pythonnet", "dotnet-cpu-kerasnet"):
        import kit

        image = engine.find_image(f"kit/{arm}:{kit.__version__}")
        if image is not None:
            sizes[arm] = image.size_bytes / 1e6
            print(f"{arm:21} {sizes[arm]:.0f} MB")
    for arm, size in sizes.items():
        if arm.startswith("dotnet") and "python-cpu" in sizes:
            print(f"{arm} adds {size - sizes['python-cpu']:.0f} MB (target 120)")
    if "--session" in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as out:
            took, done = seconds(
                [sys.executable, "-m", "kit", "reproduce", "--budget", "quick", "--out", out]
            )
        print(f"quick session         {took:.0f} s (target 90), exit code {done.returncode}")


if __name__ == "__main__":
    main()
