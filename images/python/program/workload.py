"""The workload program of the Python arms: one spec in, one record out.

Reads the spec (JSON, see the kit's spec schema) from the environment variable
KIT_SPEC and writes /results/record.json. The loop is the published one: every
repeat reloads the data and rebuilds the model, and only ``fit`` is timed, with
its progress output on. Runs on CPython 3.8 and later.
"""

import hashlib
import json
import os
import resource
import sys
import time
import traceback

import harness

RESULTS = os.environ.get("KIT_RESULTS", "/results")
EXIT_BAD_SPEC = 64
EXIT_FAILED = 70
LAYERS = ("flatten", "dense")
FIELDS = {
    "run_id": str,
    "arm": str,
    "variant": str,
    "kind": str,
    "repeats": int,
    "conditions": dict,
    "workload": dict,
}
CONDITION_FIELDS = {
    "slowdown_percent": (int, float),
    "progress": bool,
    "probe": bool,
    "keep": bool,
}
WORKLOAD_FIELDS = {
    "dataset": str,
    "scale": (int, float),
    "layers": list,
    "optimizer": str,
    "loss": str,
    "metrics": list,
    "batch_size": int,
    "epochs": int,
}


def main():
    text = os.environ.get("KIT_SPEC", "")
    try:
        spec = read_spec(text)
    except (KeyError, TypeError, ValueError) as error:
        print("spec: not usable: %s" % describe(error), file=sys.stderr, flush=True)
        return EXIT_BAD_SPEC
    work = spec["workload"]
    conditions = spec["conditions"]
    identity_run = spec["kind"] == "identity"
    harness.stage_data(work["dataset"])

    from tensorflow import keras

    harness.require_device(spec["variant"])
    if identity_run:
        harness.make_deterministic(spec["seed"])
        harness.watch_placement()
    if conditions["probe"]:
        harness.watch_fit()

    fits = []
    kept = []
    identity = device = None
    for index in range(spec["repeats"]):
        images, labels = load(keras, work)
        model = build(keras, work)
        initial = harness.build_and_hash_weights(model, images) if identity_run else ""
        fits.append(timed_fit(model, images, labels, work, conditions, index))
        if identity is None:
            identity = json.loads(
                harness.identity_json(work["dataset"], images, labels, model, initial, identity_run)
            )
        device = json.loads(harness.device_json(model, identity_run))
        if conditions["keep"]:
            kept.append((images, labels, model))

    write_record(
        {
            "schema": 1,
            "run_id": spec["run_id"],
            "arm": spec["arm"],
            "kind": spec["kind"],
            "spec_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "versions": json.loads(harness.versions_json("", "none")),
            "identity": identity,
            "clock": {
                "name": "time.perf_counter_ns",
                "resolution_ns": time.get_clock_info("perf_counter").resolution * 1e9,
            },
            "device": device,
            "fits": fits,
            "cgroup": json.loads(harness.cgroup_json()),
            "complete": True,
        }
    )
    return 0


def read_spec(text):
    """The spec; KeyError, TypeError or ValueError names the field that is wrong."""
    spec = json.loads(text)
    work = spec["workload"]
    if spec["schema"] != 1:
        raise ValueError("schema: %r is not 1" % spec["schema"])
    for name, kind in FIELDS.items():
        check_kind(name, spec[name], kind)
    check_fields("workload", work, WORKLOAD_FIELDS)
    check_fields("conditions", spec["conditions"], CONDITION_FIELDS)
    if spec["conditions"]["slowdown_percent"] < 0:
        raise ValueError("conditions.slowdown_percent: less than nothing")
    if not isinstance(spec["repeats"], int) or spec["repeats"] < 1:
        raise ValueError("repeats: %r is not a positive whole number" % spec["repeats"])
    if spec["variant"] not in ("cpu", "cuda"):
        raise ValueError("variant: %r is neither cpu nor cuda" % spec["variant"])
    if spec["kind"] not in ("timed", "identity"):
        raise ValueError("kind: %r is neither timed nor identity" % spec["kind"])
    if spec["kind"] == "identity" and not isinstance(spec["seed"], int):
        raise ValueError("seed: an identity run needs one")
    if work["dataset"] not in harness.FOLDERS:
        raise ValueError("workload.dataset: %r is unknown" % work["dataset"])
    for layer in work["layers"]:
        if layer["type"] not in LAYERS:
            raise ValueError("workload.layers: type %r is unknown" % layer["type"])
        if layer["type"] == "dense" and not isinstance(layer["units"], int):
            raise ValueError("workload.layers: units %r is not a whole number" % layer["units"])
    return spec


def check_fields(where, values, kinds):
    """ValueError unless the object holds a value of the right kind for each name."""
    for name, kind in kinds.items():
        if name not in values:
            raise ValueError("%s.%s is missing" % (where, name))
        check_kind("%s.%s" % (where, name), values[name], kind)


def check_kind(name, value, kind):
    """Raise ValueError unless the value has that type; True is not a number."""
    if isinstance(value, bool) != (kind is bool) or not isinstance(value, kind):
        raise ValueError("%s: %r is not of the right type" % (name, value))


def describe(error):
    return "%s is missing" % error if isinstance(error, KeyError) else str(error)


def load(keras, work):
    """The training images divided by the scale (float64), and their labels."""
    dataset = getattr(keras.datasets, work["dataset"])
    (train_images, train_labels), (test_images, _test_labels) = dataset.load_data()
    train_images = train_images / work["scale"]
    test_images = test_images / work["scale"]
    return train_images, train_labels


def build(keras, work):
    """The compiled model. No input shape is given: it is built inside fit."""
    model = keras.models.Sequential()
    for layer in work["layers"]:
        if layer["type"] == "flatten":
            model.add(keras.layers.Flatten())
        else:
            model.add(keras.layers.Dense(layer["units"], activation=layer["activation"]))
    model.compile(optimizer=work["optimizer"], loss=work["loss"], metrics=list(work["metrics"]))
    return model


def timed_fit(model, images, labels, work, conditions, index):
    """Time one fit; counters are read outside the timer."""
    options = {} if conditions["progress"] else {"verbose": 0}
    slowdown = conditions["slowdown_percent"]
    rss_before = rss_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF)
    paper_start = time.time()
    start = time.perf_counter_ns()
    history = model.fit(
        images, labels, batch_size=work["batch_size"], epochs=work["epochs"], **options
    )
    if slowdown:
        wait_longer(start, slowdown)
    stop = time.perf_counter_ns()
    paper_stop = time.time()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "index": index,
        "wall_ns": stop - start,
        "paper_clock_s": paper_stop - paper_start,
        "user_ns": round((after.ru_utime - before.ru_utime) * 1e9),
        "system_ns": round((after.ru_stime - before.ru_stime) * 1e9),
        "minor_faults": after.ru_minflt - before.ru_minflt,
        "rss_before_bytes": rss_before,
        "rss_after_bytes": rss_bytes(),
        "losses": [float(value) for value in history.history["loss"]],
        "accuracies": [float(value) for value in history.history["accuracy"]],
        "inner_ns": harness.inner_ns() if conditions["probe"] else None,
    }


def wait_longer(start, percent):
    """Wait, busily as a fit is, until so much more time has passed since the start."""
    end = start + (time.perf_counter_ns() - start) * (1 + percent / 100)
    while time.perf_counter_ns() < end:
        pass


def rss_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def write_record(record):
    """Write to a temporary name, sync, rename: a torn record never looks whole."""
    path = os.path.join(RESULTS, "record.json")
    with open(path + ".part", "w") as stream:
        json.dump(record, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(path + ".part", path)


if __name__ == "__main__":
    try:
        status = main()
    except Exception:
        traceback.print_exc()
        status = EXIT_FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    # As the C# program does: no interpreter teardown, which may hang there.
    os._exit(status)
