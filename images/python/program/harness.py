"""What both workload programs share: staging the data, and proof of the work done.

The Python program imports this module; the C# program calls the same functions
through its binding, so a hash differs only when the hashed thing differs. None
of it runs inside a timed region. Runs on CPython 3.8 and later.
"""

import base64
import csv
import gzip
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import time

DATA_HOME = pathlib.Path("/opt/kit/data")
FOLDERS = {"fashion_mnist": "fashion-mnist"}
CGROUP = "/sys/fs/cgroup"
_inner = []
DISTRIBUTIONS = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "h5py", "protobuf")


def stage_data(dataset):
    """Make the baked data visible where keras looks for it.

    Keras insists on a writable folder below the home folder, the image is
    read-only: links in a tmpfs lead to the baked files. Raises KeyError for a
    data set that the image does not hold.
    """
    source = DATA_HOME / FOLDERS[dataset]
    target = pathlib.Path.home() / ".keras" / "datasets" / FOLDERS[dataset]
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.glob("*.gz")):
        link = target / file.name
        if not link.is_symlink():
            link.symlink_to(file)


def make_deterministic(seed):
    """Fix every seed and make every op deterministic; for identity runs only."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def require_device(variant):
    """Train where the variant says: RuntimeError where a cuda arm sees no GPU.

    TensorFlow falls back to the CPU in silence; a run that did would be a lie.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if variant == "cuda" and not gpus:
        raise RuntimeError("variant cuda: TensorFlow sees no GPU in this container")
    if variant == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")


def watch_placement():
    """Keep the graphs that are run from now on; for identity runs only."""
    from tensorflow.python.eager import context

    context.context().ensure_initialized()
    context.enable_run_metadata()


def watch_fit():
    """Time every fit from here on inside keras itself; see ``inner_ns``.

    A binding calls through to this, so what it costs is outside.
    """
    from tensorflow import keras

    fit = keras.Model.fit

    def timed(self, *args, **kwargs):
        start = time.perf_counter_ns()
        try:
            return fit(self, *args, **kwargs)
        finally:
            _inner.append(time.perf_counter_ns() - start)

    keras.Model.fit = timed


def inner_ns():
    """Nanoseconds of the last fit inside keras; -1 where none was watched."""
    return _inner[-1] if _inner else -1


def device_json(model, deep):
    """The record's device object, after a fit.

    Args:
        deep: also count the ops by device; ``watch_placement`` was called before the fit.
    """
    import tensorflow as tf

    kind = tf.DeviceSpec.from_string(model.weights[0].device).device_type.lower()
    name, peak = "", None
    if kind == "gpu":
        first = tf.config.list_physical_devices("GPU")[0]
        name = tf.config.experimental.get_device_details(first).get("device_name", "")
        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    ops = _placed_ops() if deep else {}
    return json.dumps({"kind": kind, "name": name, "ops": ops, "peak_bytes": peak})


def _placed_ops():
    """How many ops of the graphs that ran, after placement, by device type."""
    import tensorflow as tf
    from tensorflow.python.eager import context

    plumbing = ("_Arg", "_Retval", "NoOp", "Const")
    counts = {}
    for function in context.export_run_metadata().function_graphs:
        for graph in function.partition_graphs:
            for node in graph.node:
                if node.op not in plumbing:
                    kind = tf.DeviceSpec.from_string(node.device).device_type or "CPU"
                    counts[kind] = counts.get(kind, 0) + 1
    context.disable_run_metadata()
    return counts


def weights_sha256(model):
    """Hash of all weights of a built model, in order."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        _update(digest, array)
    return digest.hexdigest()


def build_and_hash_weights(model, images):
    """Build the model for the shape of these images; the hash of its weights."""
    model.build((None, *images.shape[1:]))
    return weights_sha256(model)


def versions_json(runtime, binding):
    """Versions as the running program sees them; the caller names its own two."""
    import keras
    import numpy
    import tensorflow

    return json.dumps(
        {
            "python": platform.python_version(),
            "tensorflow": tensorflow.__version__,
            "keras": keras.__version__,
            "numpy": numpy.__version__,
            "runtime": runtime or "CPython " + platform.python_version(),
            "binding": binding,
            "os": _os_name(),
        }
    )


def identity_json(dataset, train_images, train_labels, model, initial_weights, deep):
    """The record's identity object.

    Args:
        initial_weights: hex hash, or "" when the model is built inside fit.
        deep: also hash the mapped libraries and check the wheels (seconds).
    """
    return json.dumps(
        {
            "data": _payloads(dataset),
            "tensors": {
                "train_images": _tensor(train_images),
                "train_labels": _tensor(train_labels),
            },
            "model_config": _model_config(model),
            "initial_weights": initial_weights or None,
            "libraries": _libraries() if deep else {},
            "wheels": _wheels() if deep else {},
        }
    )


def _os_name():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip('"')
    return platform.platform()


def _payloads(dataset):
    hashes = {}
    for file in sorted((DATA_HOME / FOLDERS[dataset]).glob("*.gz")):
        with gzip.open(file) as stream:
            hashes[file.stem] = hashlib.sha256(stream.read()).hexdigest()
    return hashes


def _update(digest, array):
    import numpy

    digest.update(f"{array.dtype.str}{array.shape}".encode())
    digest.update(numpy.ascontiguousarray(array).tobytes())


def _tensor(array):
    digest = hashlib.sha256()
    _update(digest, array)
    return digest.hexdigest()


def _model_config(model):
    """Hash of architecture and compile settings that two runs have in common.

    Left out: names, since the second model of a process is sequential_1 and its
    layers dense_2; and the input layer and shapes, since a model built inside
    fit takes them from the batch, one built before it from the caller.
    """
    dropped = ("name", "batch_input_shape", "build_input_shape")

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in sorted(value.items()) if k not in dropped}
        if isinstance(value, list):
            return [strip(v) for v in value if not _is_input_layer(v)]
        return value

    config = {"model": strip(json.loads(model.to_json()))}
    optimizer = dict(model.optimizer.get_config())
    config["optimizer"] = {key: str(optimizer[key]) for key in sorted(optimizer)}
    config["loss"] = str(model.loss)
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def _is_input_layer(value):
    return isinstance(value, dict) and value.get("class_name") == "InputLayer"


def _libraries():
    paths = set()
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and ".so" in fields[5]:
                paths.add(fields[5].strip())
    return {path: _file(path) for path in sorted(paths) if os.path.isfile(path)}


def _file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _wheels():
    """Check each installed distribution against the hashes in its RECORD."""
    results = {}
    for name in DISTRIBUTIONS:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        results[f"{name}=={distribution.version}"] = _check_record(distribution)
    return results


def _check_record(distribution):
    rows = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    checked = 0
    for path, encoded, _size in rows:
        # Only what can be executed: a model of 10,000 header files adds nothing.
        if not encoded.startswith("sha256=") or not path.endswith((".py", ".so")):
            continue
        file = distribution.locate_file(path)
        padded = encoded[len("sha256=") :] + "=" * (-(len(encoded) - len("sha256=")) % 4)
        if not os.path.isfile(file):
            return f"missing: {path}"
        if _file(file) != base64.urlsafe_b64decode(padded).hex():
            return f"differs: {path}"
        checked += 1
    return "ok" if checked else "no hashes in RECORD"


def cgroup_json():
    """Return the record's cgroup object, from the import of this module until now."""
    return json.dumps(cgroup_since(_STARTED))


def cgroup_now():
    """Return what the kernel counts of this container's CPU limit; None where it does not.

    Files of cgroup 2, then of cgroup 1. Nothing in them may fail a run.
    """
    new, old = _counts("cpu.stat"), _counts("cpu/cpu.stat")
    if "throttled_usec" in new:
        stat, throttled_us = new, new["throttled_usec"]
        limit = _cgroup_file("cpu.max")
    elif "throttled_time" in old:
        stat, throttled_us = old, old["throttled_time"] // 1000
        limit = _cgroup_file("cpu/cpu.cfs_quota_us") + _cgroup_file("cpu/cpu.cfs_period_us")
    else:
        return None
    quota = re.match(r"(\d+)\s+(\d+)", limit)
    waited = re.match(r"some .*total=(\d+)", _cgroup_file("cpu.pressure"))
    return {
        "periods": stat.get("nr_periods", 0),
        "throttled_periods": stat.get("nr_throttled", 0),
        "throttled_us": throttled_us,
        "pressure_us": int(waited.group(1)) if waited else None,
        "quota_us": int(quota.group(1)) if quota else None,
        "period_us": int(quota.group(2)) if quota else None,
    }


def cgroup_since(before):
    """Return the record's cgroup object: what was counted since ``before``, the limit now."""
    after = cgroup_now()
    if before is None or after is None:
        return None
    for name in ("periods", "throttled_periods", "throttled_us", "pressure_us"):
        if after[name] is not None:
            after[name] = max(after[name] - (before[name] or 0), 0)
    return after


def _counts(name):
    return {key: int(value) for key, value in re.findall(r"(?m)^(\w+) (\d+)$", _cgroup_file(name))}


def _cgroup_file(name):
    try:
        with open(os.path.join(CGROUP, name)) as stream:
            return stream.read()
    except OSError:
        return ""


_STARTED = cgroup_now()
